import { parse } from 'dot-properties';

/** The format of java.util.Properties; of a key that comes twice the last counts. */
export const parseProperties = (text: string): ReadonlyMap<string, string> =>
  new Map(Object.entries(parse(text) as Record<string, string>).map(([key, value]) => [key, value.trim()]));
