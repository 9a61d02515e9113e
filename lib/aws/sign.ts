import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export interface Signable {
  readonly service: string;
  readonly region: string;
  readonly host: string;
  readonly method: string;
  /** As it is sent: every segment encoded (`encodeSegment`), with its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What AWS puts in on the way, and what others may change. */
const UNSIGNED: ReadonlySet<string> = new Set(['x-amzn-trace-id']);

/**
 * Headers of a request with AWS Signature Version 4 (docs.aws.amazon.com, "Create a signed AWS API request"). The packages that do it take six
 * times as long (docs/performance.md), on every call of a router; tests hold it against two of them.
 */
export const sign = (
  { service, region, host, method, path, headers, body = '' }: Signable,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  at: Date,
): Record<string, string> => {
  const time = timestamp(at);
  const day = time.slice(0, 8);
  const payloadHash = hash('sha256', body);
  const all: Record<string, string> = { ...headers, host, 'x-amz-date': time };
  if (sessionToken !== undefined) all['x-amz-security-token'] = sessionToken;
  if (service === 's3') all['x-amz-content-sha256'] ??= payloadHash;

  const names = Object.keys(all)
    .filter((name) => !UNSIGNED.has(name))
    .sort();
  const signedHeaders = names.join(';');
  const question = path.indexOf('?');
  const bare = question < 0 ? path : path.slice(0, question);
  const canonical = [
    method,
    // All services but S3 have the path escaped once more.
    service === 's3' ? bare : escapePath(bare),
    question < 0 ? '' : canonicalQuery(path.slice(question + 1)),
    ...names.map((name) => `${name}:${(all[name] ?? '').trim()}`),
    '',
    signedHeaders,
    service === 's3' ? all['x-amz-content-sha256'] : payloadHash,
  ].join('\n');

  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`;
  const signature = createHmac('sha256', dayKey(secretAccessKey, day, region, service))
    .update(text)
    .digest('hex');
  all['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  if (body !== '') all['content-length'] = String(Buffer.byteLength(body));
  return all;
};

let lastSecond = { second: 0, text: '' };

/** `20261123T174500Z`; made once a second. */
const timestamp = (at: Date): string => {
  const second = Math.floor(at.getTime() / 1000);
  if (second !== lastSecond.second) {
    lastSecond = { second, text: `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z` };
  }
  return lastSecond.text;
};

const NEEDS_ESCAPE = /[^A-Za-z0-9\-_.~/]/;

const escapePath = (path: string): string =>
  NEEDS_ESCAPE.test(path) ? path.split('/').map(encodeSegment).join('/') : path;

/** Every parameter with its value, by name. */
const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');

/** A few services with one set of credentials; a key is good for a day. */
const MAX_KEYS = 16;
const dayKeys = new Map<string, KeyObject>();

const dayKey = (secret: string, day: string, region: string, service: string): KeyObject => {
  const name = `${service} ${day} ${region} ${secret}`;
  const known = dayKeys.get(name);
  if (known !== undefined) return known;
  const bytes = [day, region, service, 'aws4_request'].reduce<Buffer | string>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secret}`,
  );
  const key = createSecretKey(bytes as Buffer);
  if (dayKeys.size >= MAX_KEYS) dayKeys.clear();
  dayKeys.set(name, key);
  return key;
};

/** For a path: everything but letters, digits and `-_.~` is escaped (AWS Signature Version 4, UriEncode). */
export const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
