import { connect } from 'node:net';

/** A request as it goes over the wire. Names and values of headers are latin1: one character is one byte. */
export interface Wire {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** What came back of it. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'closed' }
  | { readonly kind: 'hang' };

/** UTF-8 as a header carries it. */
export const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

export const toBytes = ({ method, target, version, headers, body }: Wire): Buffer => {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${method} ${target} ${version}\r\n${lines}\r\n`, 'latin1'), body]);
};

const TIMEOUT_MS = 8000;

export interface Sending {
  readonly port: number;
  readonly bytes: Buffer;
  /** The client says that nothing more comes, as one that breaks off does. */
  readonly isHalfClosed?: boolean;
  /** An answer to HEAD has a length and no body. */
  readonly isHead?: boolean;
}

/** Sends bytes as they are and reads the first whole answer, within bounded time. */
export const sendRaw = ({ port, bytes, isHalfClosed = false, isHead = false }: Sending): Promise<Outcome> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = Buffer.alloc(0);
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(finish, TIMEOUT_MS, { kind: 'hang' });
    const ended = (): void => finish(parseAnswer(received, isHead, true) ?? { kind: 'closed' });

    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parseAnswer(received, isHead, false);
      if (answer !== undefined) finish(answer);
    });
    socket.on('end', ended);
    // A server that has answered may refuse to read the rest of what it was sent.
    socket.on('error', ended);
    socket.write(bytes);
    if (isHalfClosed) socket.end();
  });

/** @returns nothing as long as the answer is not whole; interim ones (1xx) do not count */
const parseAnswer = (received: Buffer, isHead: boolean, isEnded: boolean): Outcome | undefined => {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (status < 200) return parseAnswer(received.subarray(end + 4), isHead, isEnded);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = received.subarray(end + 4);
  // Only Node itself answers so, and then with nothing in it.
  if (headers['transfer-encoding'] === 'chunked' && body.toString() === '0\r\n\r\n')
    return { kind: 'answer', status, headers, body: '' };
  const length = isHead ? 0 : Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (body.length < length && !isEnded) return undefined;
  return { kind: 'answer', status, headers, body: body.toString() };
};
