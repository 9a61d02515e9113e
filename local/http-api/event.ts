import type { IncomingMessage } from 'node:http';

/** The event of an HTTP API, payload format 2.0 (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html). */
export interface HttpApiEvent {
  readonly version: '2.0';
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly requestContext: object;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

export interface EventParts {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly nowMs: number;
}

/** What API Gateway passes as text; every other body travels as base64. */
const TEXT = /^(text\/.*|application\/(json|javascript|xml))$/;

export const toEvent = ({
  request,
  body,
  routeKey,
  pathParameters,
  requestId,
  nowMs,
}: EventParts): HttpApiEvent => {
  const url = request.url ?? '/';
  const question = url.indexOf('?');
  const rawPath = question < 0 ? url : url.slice(0, question);
  const rawQueryString = question < 0 ? '' : url.slice(question + 1);
  const headers = decodeHeaders(request.rawHeaders);
  const isText = TEXT.test((headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '');

  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers,
    ...(rawQueryString === '' ? {} : { queryStringParameters: decodeQuery(rawQueryString) }),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers['host'] ?? '127.0.0.1',
      domainPrefix: 'local',
      http: {
        method: request.method ?? 'GET',
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: '$default',
      time: new Date(nowMs).toISOString(),
      timeEpoch: nowMs,
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
};

/** "Duplicate headers are combined with commas" (payload format 2.0): all of them, where Node drops some. */
const decodeHeaders = (rawHeaders: readonly string[]): Readonly<Record<string, string>> => {
  // Any name may come, `__proto__` included.
  const headers: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  // Once all parts of one are together.
  if (rawHeaders.some(isBeyondAscii)) decodeValues(headers);
  return headers;
};

const isBeyondAscii = (part: string): boolean => hasNonAscii.test(part);

const decodeValues = (headers: Record<string, string>): void => {
  for (const [name, value] of Object.entries(headers)) {
    if (hasNonAscii.test(value)) headers[name] = decodeHeader(value);
  }
};

const hasNonAscii = /[\u0080-\u00ff]/;
/** A byte order mark is part of the value. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Node reads header bytes as latin1, while boto3 sends UTF-8: what is valid UTF-8 is taken as such. */
const decodeHeader = (value: string): string => {
  try {
    return strictUtf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
};

/** Values of a repeated parameter are joined with commas, as API Gateway does. */
const decodeQuery = (rawQueryString: string): Record<string, string> => {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    query[name] = Object.hasOwn(query, name) ? `${query[name]},${value}` : value;
  }
  return query;
};
