import { queryInteger } from './operation.ts';
import { S3Error } from './s3-error.ts';

const MAX_KEYS = 1000;

export interface Page<T> {
  readonly contents: readonly (readonly [key: string, value: T])[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page starts; none when this is the last. */
  readonly next: Position | undefined;
}

/** The last thing listed: a key, or a common prefix whose keys are all to be passed over. */
export interface Position {
  readonly last: string;
  readonly isPrefix: boolean;
}

export interface PageOptions {
  readonly prefix: string;
  readonly delimiter: string;
  readonly after: Position;
  readonly maxKeys: number;
}

/** Entries and common prefixes count alike towards a page; a group of keys below one prefix counts once. */
export const readPage = async <T>(
  entries: AsyncIterable<readonly [key: string, value: T]>,
  { prefix, delimiter, after, maxKeys }: PageOptions,
): Promise<Page<T>> => {
  const contents: (readonly [string, T])[] = [];
  const commonPrefixes: string[] = [];
  if (maxKeys === 0) return { contents, commonPrefixes, next: undefined };

  let position = after;
  for await (const [key, value] of entries) {
    if (position.isPrefix && key.startsWith(position.last)) continue;
    if (contents.length + commonPrefixes.length === maxKeys)
      return { contents, commonPrefixes, next: position };

    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      contents.push([key, value]);
      position = { last: key, isPrefix: false };
    } else {
      const common = key.slice(0, end + delimiter.length);
      commonPrefixes.push(common);
      position = { last: common, isPrefix: true };
    }
  }
  return { contents, commonPrefixes, next: undefined };
};

/** A marker that is a common prefix was listed for all of its keys. */
export const isPassedOver = (
  marker: string,
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter: string },
): boolean => delimiter !== '' && marker.endsWith(delimiter) && marker.length > prefix.length;

export const readMaxKeys = (query: URLSearchParams): number =>
  queryInteger(query, 'max-keys', { min: 0, max: MAX_KEYS, fallback: MAX_KEYS });

/** `encoding-type=url` keeps characters out of the XML that it cannot hold. */
export const encoder = (query: URLSearchParams): ((text: string) => string) => {
  const type = query.get('encoding-type');
  if (type === null) return (text) => text;
  if (type !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+');
};

export const optional = (text: string | null, encode: (text: string) => string): string | undefined =>
  text === null ? undefined : encode(text);
