import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { BoundedMap } from '../cache/bounded-map.ts';
import { ServingError } from '../errors.ts';
import type { HttpRequest } from '../protocol/http.ts';

/** What an Authorization header of AWS Signature Version 4 says. */
export interface Signature {
  readonly keyId: string;
  /** yyyymmdd */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** In lower case, in the order of the header. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_HEADER_LENGTH = 8192;
const SHAPE =
  /^AWS4-HMAC-SHA256 +Credential=([A-Za-z0-9]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request, *SignedHeaders=([a-z0-9!#$%&'*+.^_`|~;-]{1,4096}), *Signature=([0-9a-f]{64})$/;

/** AWS's own window, either way. */
const WINDOW_MS = 5 * 60_000;

/** What AWS's front doors add on the way; a client cannot have signed it. */
const ADDED_ON_THE_WAY = new Set([
  'x-amzn-trace-id',
  'x-amz-cf-id',
  'x-amzn-tls-version',
  'x-amzn-tls-cipher-suite',
]);

/** @throws ServingError InvalidSignatureException for a header that is none of Signature Version 4 */
export const parseSignature = (header: string): Signature => {
  const [, keyId, date, region, service, names, signature] =
    (header.length <= MAX_HEADER_LENGTH ? SHAPE.exec(header) : null) ?? [];
  if (keyId === undefined || date === undefined || region === undefined) throw malformed();
  if (service === undefined || names === undefined || signature === undefined) throw malformed();
  return { keyId, date, region, service, signedHeaders: names.split(';'), signature };
};

/**
 * Whether a request is signed with a secret: AWS Signature Version 4 over the method, path, query, signed headers and
 * body (docs.aws.amazon.com, "Create a signed AWS API request").
 * @throws ServingError InvalidSignatureException saying what does not hold, and never what would
 */
export const checkSignature = (
  request: HttpRequest,
  signed: Signature,
  {
    secret,
    nowMs,
    services,
  }: { readonly secret: string; readonly nowMs: number; readonly services: readonly string[] },
): void => {
  const { headers } = request;
  if (!services.includes(signed.service)) {
    throw invalid(`it is for service ${signed.service}, and should be for ${services.join(' or ')}`);
  }
  const timestamp = checkDate(headers['x-amz-date'], signed.date, nowMs);
  checkHeaders(headers, signed.signedHeaders);
  const payloadHash = checkPayload(request);

  const scope = `${signed.date}/${signed.region}/${signed.service}/aws4_request`;
  const key = signingKey(secret, signed);
  const given = Buffer.from(signed.signature, 'hex');
  const isRight = canonicalPaths(request.rawPath ?? '/').some((path) => {
    const canonical = canonicalRequest(request, path, signed.signedHeaders, payloadHash);
    const text = [ALGORITHM, timestamp, scope, sha256(canonical)].join('\n');
    return timingSafeEqual(createHmac('sha256', key).update(text).digest(), given);
  });
  if (!isRight)
    throw invalid(
      'it does not match: check the secret, and that nothing changed the request after it was signed',
    );
};

const DATE_SHAPE = 'header x-amz-date should be like 20261231T235959Z';

const checkDate = (text: string | undefined, day: string, nowMs: number): string => {
  const [, year, month, date, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '') ?? [];
  if (text === undefined || year === undefined) throw invalid(DATE_SHAPE);
  const atMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(date),
    Number(hour),
    Number(minute),
    Number(second),
  );
  if (!(Math.abs(nowMs - atMs) <= WINDOW_MS)) {
    throw invalid(
      `x-amz-date is ${text}, and it is now ${new Date(nowMs).toISOString()}: at most 5 minutes apart`,
    );
  }
  // Date.UTC carries over: 23:59:90 would be 00:00:30 of a day that is not the credential's.
  if (new Date(atMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '') !== text) throw invalid(DATE_SHAPE);
  if (!text.startsWith(day))
    throw invalid(`its credential is of ${day}, and x-amz-date of ${text.slice(0, 8)}`);
  return text;
};

/** A header that means something here and is not signed could be anybody's. */
const checkHeaders = (headers: HttpRequest['headers'], signed: readonly string[]): void => {
  const names = new Set(signed);
  if (names.size !== signed.length) throw invalid('SignedHeaders names a header twice');
  // Own ones: every object has a constructor, and a signature may name it.
  const missing = signed.find((name) => !Object.hasOwn(headers, name) || headers[name] === undefined);
  if (missing !== undefined) throw invalid(`header ${missing} is signed and not there`);
  for (const needed of ['host', 'x-amz-date']) {
    if (!names.has(needed)) throw invalid(`header ${needed} is not signed`);
  }
  const open = Object.keys(headers).find(
    (name) => name.startsWith('x-amz') && !names.has(name) && !ADDED_ON_THE_WAY.has(name),
  );
  if (open !== undefined) throw invalid(`header ${open} is not signed`);
};

const checkPayload = ({ headers, body = '', isBase64Encoded }: HttpRequest): string => {
  const payloadHash = sha256(isBase64Encoded ? Buffer.from(body, 'base64') : body);
  const given = headers['x-amz-content-sha256'];
  if (given !== undefined && given !== payloadHash) {
    throw invalid('x-amz-content-sha256 is not the hash of the body, which has to be signed as a whole');
  }
  return payloadHash;
};

const canonicalRequest = (
  { headers, rawQueryString = '', requestContext }: HttpRequest,
  path: string,
  signed: readonly string[],
  payloadHash: string,
): string => {
  const names = signed.toSorted();
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`);
  return [
    requestContext.http?.method ?? 'POST',
    path,
    canonicalQuery(rawQueryString),
    lines.join(''),
    names.join(';'),
    payloadHash,
  ].join('\n');
};

/** Clients sign the path as they send it, escaped once more; an HTTP API on AWS gives it unescaped, another door may not. */
const canonicalPaths = (rawPath: string): readonly string[] => {
  const asSent = escapePath(rawPath);
  const asDecoded = escapePath(escapePath(rawPath));
  return asSent === asDecoded ? [asSent] : [asSent, asDecoded];
};

const escapePath = (path: string): string => path.split('/').map(uriEncode).join('/');

const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=');
      return [uriEncode(uriDecode(name)), uriEncode(uriDecode(value.join('=')))] as const;
    })
    .toSorted(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const uriDecode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Everything but letters, digits and `-_.~`. */
const uriEncode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** A key is good for a day: a caller's next requests need not derive it again. */
const signingKeys = new BoundedMap<Buffer>(1000);

const signingKey = (secret: string, { keyId, date, region, service }: Signature): Buffer => {
  const name = [keyId, sha256(secret), date, region, service].join('/');
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secret}`,
  ) as Buffer;
  signingKeys.set(name, key);
  return key;
};

const sha256 = (data: string | Buffer): string => hash('sha256', data);

const invalid = (why: string): ServingError =>
  new ServingError('InvalidSignatureException', `the signature is refused: ${why}`);

const malformed = (): ServingError =>
  invalid(
    `the Authorization header should be like ${ALGORITHM} Credential=ID/yyyymmdd/region/service/aws4_request, SignedHeaders=..., Signature=...`,
  );
