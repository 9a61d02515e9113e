/** What JSON.stringify would never write: 1e999, NaN, a key twice, a thousand brackets. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const toJson = (value: unknown): string => {
  if (value instanceof Raw) return value.text;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}:${toJson(each)}`)
    .join(',')}}`;
};

/** Where something is in a value of JSON. */
export type Place = readonly (string | number)[];

/** All places below and with the value itself. */
export const placesOf = (value: unknown, place: Place = []): readonly Place[] =>
  typeof value !== 'object' || value === null || value instanceof Raw
    ? [place]
    : [place, ...Object.entries(value).flatMap(([key, each]) => placesOf(each, [...place, key]))];

export const valueAt = (value: unknown, place: Place): unknown =>
  place.reduce<unknown>((part, key) => (part as Record<string | number, unknown>)[key], value);

/** A copy in which something else is at a place. */
export const replaceAt = (value: unknown, place: Place, replace: (old: unknown) => unknown): unknown => {
  const [key, ...rest] = place;
  if (key === undefined) return replace(value);
  if (Array.isArray(value)) {
    return value.map((each, index) => (index === Number(key) ? replaceAt(each, rest, replace) : each));
  }
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, each]) => [name, name === key ? replaceAt(each, rest, replace) : each]),
  );
};
