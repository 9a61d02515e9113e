import type { IncomingMessage } from 'node:http';
import { ServingError } from '../errors.ts';
import { encodeSegment } from './sign.ts';
import {
  type AwsEnvironment,
  createSignedRequests,
  readText,
  type SignedRequest,
} from './signed-requests.ts';

export interface S3Request extends Pick<SignedRequest, 'action' | 'headers' | 'body'> {
  readonly method?: SignedRequest['method'];
  readonly bucket: string;
  readonly key?: string;
  /** Encoded, without the question mark. */
  readonly query?: string;
}

export interface S3Requests {
  /** @throws ServingError InternalDependencyException when S3 does not answer */
  send(request: S3Request): Promise<IncomingMessage>;
}

/** Longer ones S3 refuses with a code of their own: there is no such object. */
export const MAX_KEY_BYTES = 1024;

/** A download may take long, a stalled one may not. */
const PATIENT = { attempts: 3, idleMs: 30_000 };

/** For who has a caller waiting: twice ten seconds are less than a door is open for. */
export const IMPATIENT = { attempts: 2, idleMs: 10_000 };

/** Requests of S3 without the SDK. AWS has a host per bucket, unless there is a dot in its name, which no certificate covers; other places have paths. */
export const createS3Requests = (environment: AwsEnvironment, patience = PATIENT): S3Requests => {
  const requests = createSignedRequests({ service: 's3', environment, ...patience });
  const { endpoint, region } = requests;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';

  const locate = (bucket: string, path: string): Pick<SignedRequest, 'host' | 'path'> =>
    endpoint !== undefined || bucket.includes('.')
      ? { path: `/${bucket}/${path}` }
      : { host: `${bucket}.s3.${region}.${domain}`, path: `/${path}` };

  return {
    async send({ bucket, key = '', query, method = 'GET', ...request }) {
      const path = key.split('/').map(encodeSegment).join('/') + (query === undefined ? '' : `?${query}`);
      try {
        return await requests.send({ ...request, method, ...locate(bucket, path) });
      } catch (cause) {
        throw unreachable(cause);
      }
    },
  };
};

/** A connection that breaks half-way is the store's fault, not the artifact's. */
export async function* bodyOf(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (cause) {
    throw unreachable(cause);
  }
}

export const unreachable = (cause: unknown): ServingError =>
  new ServingError('InternalDependencyException', 'the model store did not answer; try again', { cause });

export const errorCode = async (response: IncomingMessage): Promise<string> => {
  const text = await readText(response).catch(() => '');
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';
};

export const refused = async (response: IncomingMessage, bucket: string): Promise<ServingError> =>
  explain(response.statusCode, await errorCode(response), bucket);

export const explain = (status: number | undefined, code: string, bucket: string): ServingError => {
  const cause = new Error(`S3 answered ${status} ${code}`);
  if (code === 'SlowDown' || status === 503 || status === 429) {
    return new ServingError('ServiceUnavailable', 'the model store is busy; try again', { cause });
  }
  if (code === 'NoSuchBucket') {
    return new ServingError(
      'InternalDependencyException',
      `the bucket ${bucket} does not exist: MODELS_BUCKET should name the bucket of the endpoint's models`,
      { cause },
    );
  }
  if (status === 301 || status === 307 || code === 'AuthorizationHeaderMalformed') {
    return new ServingError(
      'InternalDependencyException',
      `the bucket ${bucket} is in another region than this endpoint: deploy to the region of the bucket, or copy it`,
      { cause },
    );
  }
  if (status === 403) {
    return new ServingError(
      'InternalDependencyException',
      'the endpoint may not read this model: its role needs s3:GetObject on the models prefix, and s3:ListBucket on the bucket (without it S3 answers 403 for a model that does not exist)',
      { cause },
    );
  }
  return unreachable(cause);
};
