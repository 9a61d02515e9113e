/** Properties of a resource, or a structure within them. */
export type Properties = Readonly<Record<string, unknown>>;

/** The resources of one type, with their logical ids. */
export type OfType = (type: string) => readonly (readonly [id: string, properties: Properties])[];

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const record = (value: unknown): Properties =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Properties) : {};

export const reference = (value: unknown, where: string): string => text(record(value)['Ref'], where);

/** `{"Fn::Join": [separator, parts]}` */
export const join = (value: unknown, separator: string, where: string): readonly unknown[] => {
  const [found, parts] = list(record(value)['Fn::Join']);
  if (found !== separator) throw unexpected(where, `a Fn::Join with "${separator}"`, value);
  return list(parts);
};

/** `{"Fn::GetAtt": [id, "Arn"]}` @returns the id */
export const arnOf = (value: unknown, where: string): string => {
  const [id, attribute] = list(record(value)['Fn::GetAtt']);
  if (typeof id !== 'string' || attribute !== 'Arn') throw unexpected(where, 'a Fn::GetAtt of an Arn', value);
  return id;
};

export const text = (value: unknown, where: string): string => {
  if (typeof value !== 'string') throw unexpected(where, 'text', value);
  return value;
};

export const integer = (value: unknown, where: string): number => {
  if (!Number.isInteger(value)) throw unexpected(where, 'a whole number', value);
  return Number(value);
};

export const unexpected = (where: string, expected: string, came: unknown): Error =>
  new Error(`compiled template: ${where} should be ${expected}, but is ${JSON.stringify(came)}`);
