export declare const functions: (context: {
  resolveVariable(name: string): Promise<unknown>;
}) => Promise<Record<string, object>>;
