import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Credentials, sign } from './sign.ts';
import type { Transport } from './transport.ts';

/** What Lambda puts into the environment of a function. */
export interface AwsEnvironment {
  readonly AWS_REGION?: string | undefined;
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  readonly AWS_SESSION_TOKEN?: string | undefined;
  /** Of the call that is being answered (X-Ray); AWS also ends by it what calls itself without end. */
  readonly _X_AMZN_TRACE_ID?: string | undefined;
  /** Another place than AWS, for all services. */
  readonly AWS_ENDPOINT_URL?: string | undefined;
  readonly AWS_ENDPOINT_URL_S3?: string | undefined;
  readonly AWS_ENDPOINT_URL_DYNAMODB?: string | undefined;
  readonly AWS_ENDPOINT_URL_SSM?: string | undefined;
  readonly AWS_ENDPOINT_URL_SQS?: string | undefined;
  readonly AWS_ENDPOINT_URL_LAMBDA?: string | undefined;
}

export interface SignedRequest {
  /** What IAM calls it, e.g. `s3:GetObject`: the roles in deploy/roles.yml are held to these (test/deploy/roles.test.ts). */
  readonly action: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Only where it differs from the service's own, e.g. a bucket's. */
  readonly host?: string;
  /** Encoded, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Of this request, where it differs from the others'. */
  readonly idleMs?: number;
}

export interface SignedRequests {
  /** The place that is set for this service instead of AWS. */
  readonly endpoint: URL | undefined;
  readonly region: string;
  /**
   * Sends a request, again where the connection fails or the service is busy (429, 500, 502, 503, 504), as often as `attempts`
   * says. Any other status is an answer. A connection that was kept open and turns out to be closed is replaced: a frozen environment does not see
   * that the other side has hung up.
   * @throws the error of the connection, or one with the code ETIMEDOUT (not connected in time) or ESILENT (no word for `idleMs`)
   */
  send(request: SignedRequest): Promise<IncomingMessage>;
}

const FIRST_PAUSE_MS = 100;
/** The other side has hung up. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);
const BUSY: ReadonlySet<number | undefined> = new Set([429, 500, 502, 503, 504]);

/**
 * Requests to an AWS service without the SDK, for what every start and every call pays for: of 113 ms that the inference function's bundle took
 * to import, the SDK's S3 client took 90 (docs/decisions/0004). Credentials are those that Lambda sets.
 */
export const createSignedRequests = (options: {
  readonly service: 's3' | 'dynamodb' | 'ssm' | 'sqs' | 'lambda';
  readonly environment: AwsEnvironment;
  /** A connection that says nothing for so long is given up. */
  readonly idleMs: number;
  readonly connectMs?: number;
  readonly attempts?: number;
}): SignedRequests => {
  const { service, environment, idleMs, connectMs = 2000, attempts = 3 } = options;
  const region = environment.AWS_REGION ?? 'us-east-1';
  const own = {
    s3: environment.AWS_ENDPOINT_URL_S3,
    dynamodb: environment.AWS_ENDPOINT_URL_DYNAMODB,
    ssm: environment.AWS_ENDPOINT_URL_SSM,
    sqs: environment.AWS_ENDPOINT_URL_SQS,
    lambda: environment.AWS_ENDPOINT_URL_LAMBDA,
  };
  const url = own[service] ?? environment.AWS_ENDPOINT_URL;
  const endpoint = url === undefined ? undefined : new URL(url);
  const isPlain = endpoint?.protocol === 'http:';
  // Lambda's stay as they are for as long as an environment lives, and each look at the environment takes a microsecond.
  const credentials = credentialsOf(environment);
  let transport: Transport | undefined;

  const attempt = async (request: SignedRequest): Promise<IncomingMessage> => {
    transport ??= (await import('./transport.ts')).openTransport(isPlain);
    const { start, agent } = transport;
    const host = endpoint?.host ?? request.host ?? `${service}.${region}.${domainOf(region)}`;
    const headers = sign(
      {
        service,
        region,
        host,
        method: request.method,
        path: request.path,
        headers: { ...request.headers, ...traceOf(environment) },
        ...(request.body === undefined ? {} : { body: request.body }),
      },
      credentials,
      new Date(),
    );
    return new Promise((resolve, reject) => {
      const outgoing = start({
        agent,
        host: endpoint?.hostname ?? host,
        port: endpoint?.port,
        method: request.method,
        path: request.path,
        headers,
      });
      outgoing.once('response', resolve).once('error', (error: NodeJS.ErrnoException) => {
        if (outgoing.reusedSocket && CLOSED.has(error.code)) resolve(attempt(request));
        else reject(error);
      });
      limitTime(outgoing, connectMs, request.idleMs ?? idleMs);
      outgoing.end(request.body);
    });
  };

  return {
    endpoint,
    region,
    async send(request) {
      for (let turn = 1; ; turn++) {
        try {
          const response = await attempt(request);
          if (turn === attempts || !BUSY.has(response.statusCode)) return response;
          response.resume();
        } catch (error) {
          if (turn === attempts) throw error;
        }
        await sleep(FIRST_PAUSE_MS * 2 ** (turn - 1));
      }
    },
  };
};

/** Until it is connected a socket gets a short time, after that a long one. */
const limitTime = (outgoing: ClientRequest, connectMs: number, idleMs: number): void => {
  let isConnected = false;
  outgoing.on('timeout', () => {
    const [what, code] = isConnected ? ['no word', 'ESILENT'] : ['not connected', 'ETIMEDOUT'];
    outgoing.destroy(
      Object.assign(new Error(`${what} for ${isConnected ? idleMs : connectMs} ms`), { code }),
    );
  });
  const awaitAnswer = (): void => {
    isConnected = true;
    outgoing.setTimeout(idleMs);
  };
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return awaitAnswer();
    outgoing.setTimeout(connectMs);
    socket.once(outgoing.protocol === 'https:' ? 'secureConnect' : 'connect', awaitAnswer);
  });
};

const credentialsOf = (environment: AwsEnvironment): Credentials => {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN } = environment;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
};

/** As the SDK does within Lambda; it is not signed. */
const traceOf = ({ _X_AMZN_TRACE_ID: trace }: AwsEnvironment): Readonly<Record<string, string>> =>
  trace === undefined ? {} : { 'x-amzn-trace-id': trace };

const domainOf = (region: string): string =>
  region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';

const MAX_TEXT_BYTES = 1024 * 1024;

/** A short answer as text. */
export const readText = (response: IncomingMessage, maxBytes: number = MAX_TEXT_BYTES): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else response.destroy(new Error(`an answer of more than ${maxBytes} bytes`));
    });
    response.once('end', () => resolve(Buffer.concat(chunks).toString()));
    response.once('error', reject);
    if (response.destroyed) reject(brokenOff());
    // Every answer closes; an error that nobody sees would still have its stack written down.
    response.once('close', () => {
      if (!response.readableEnded) reject(brokenOff());
    });
  });

const brokenOff = (): Error => Object.assign(new Error('the answer broke off'), { code: 'ECONNRESET' });
