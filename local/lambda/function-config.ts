/** A function as the local Lambda runs it. */
export interface FunctionConfig {
  readonly name: string;
  /** `path/module.export`, resolved below `codeDirectory` as Lambda does: the bare path, .js, .mjs, .cjs. */
  readonly handler: string;
  /** What AWS unpacks to /var/task. */
  readonly codeDirectory: string;
  /** What layers put on NODE_PATH. */
  readonly nodePath: readonly string[];
  readonly memorySizeMb: number;
  readonly timeoutSeconds: number;
  readonly ephemeralStorageMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly region: string;
  /** Published versions; `$LATEST` always exists. */
  readonly versions: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  /** All versions together, as reserved concurrency counts. */
  readonly maxEnvironments: number;
  /**
   * It asks another function once in each call, and answers when that has answered: a call that waits may be handed to an environment that is about
   * to answer another.
   */
  readonly forwards?: boolean;
  /** So many for calls that have waited for a while: of a function that itself waits more than it computes. */
  readonly mostEnvironments?: number;
}

const ACCOUNT = '000000000000';

export const functionArn = (config: FunctionConfig, qualifier?: string): string =>
  `arn:aws:lambda:${config.region}:${ACCOUNT}:function:${config.name}${qualifier === undefined ? '' : `:${qualifier}`}`;

/** @returns the version that a qualifier names; `undefined` when there is none. */
export const resolveVersion = (config: FunctionConfig, qualifier = '$LATEST'): string | undefined => {
  const version = config.aliases[qualifier] ?? qualifier;
  return version === '$LATEST' || config.versions.includes(version) ? version : undefined;
};
