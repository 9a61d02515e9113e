import type { QueuedJob } from '../async/queued-job.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { ServingError } from '../errors.ts';
import { parseModelName } from '../models/model-name.ts';
import type { StoredObject } from './envelope.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from './http.ts';
import { CUSTOM_ATTRIBUTES, fits, INFERENCE_ID, type TextRule } from './text-rules.ts';

export interface AsyncPlaces {
  /** The deployment's; inputs and outputs are below `async/` of it. */
  readonly bucket: string;
  /** A new id for each call. */
  readonly newId: () => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const HEADER = 'x-amzn-sagemaker-';
const MAX_INLINE_BYTES = 128_000;
const DEFAULT_TTL_SECONDS = 21_600;
const DEFAULT_TIMEOUT_SECONDS = 900;

/** In CustomAttributes, as InvokeEndpointAsync has no TargetModel. */
const TARGET_IN_ATTRIBUTES = /(?:^|[;,]\s*)target-model=([^;,]+)/;

/**
 * Reads SageMaker's InvokeEndpointAsync, whose header names and limits are botocore's (sagemaker-runtime 2017-05-13). The model to
 * call is in `CustomAttributes` as `target-model=...`, or in InvokeEndpoint's own header.
 * @throws ServingError ValidationError
 */
export const parseAsyncInvocation = (
  request: HttpRequest,
  endpoint: Endpoint,
  { bucket, newId, now }: AsyncPlaces,
): QueuedJob => {
  const text = (name: string, rule?: TextRule): string | undefined => {
    const value = request.headers[HEADER + name];
    if (value === undefined || rule === undefined || fits(value, rule)) return value;
    throw invalid(`header ${HEADER}${name} should be 1 to ${rule.maxLength} visible characters of ASCII`);
  };

  const customAttributes = text('custom-attributes', CUSTOM_ATTRIBUTES);
  const target = text('target-model') ?? TARGET_IN_ATTRIBUTES.exec(customAttributes ?? '')?.[1]?.trim();
  if (target === undefined || target === '') {
    throw invalid(
      'the model is missing: InvokeEndpointAsync has no TargetModel, so set CustomAttributes="target-model=tenant-7/churn.tar.gz"',
    );
  }
  const id = newId();
  const contentType = text('content-type') ?? request.headers['content-type'];
  const accept = text('accept');
  const folder = `${endpoint.asyncOutput ?? `s3://${bucket}/async/${endpoint.name}/`}${extensionOf(text('s3outputpathextension'))}`;
  // In a folder of the call: nobody can write over the output of another.
  const given = fileNameOf(text('filename'));
  const name = given === undefined ? `${id}.out` : `${id}/${given}`;
  return {
    id,
    model: parseModelName(endpoint.prefix + parseModelName(target)),
    inferenceId: text('inference-id', INFERENCE_ID) ?? id,
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined ? {} : { accept }),
    ...(customAttributes === undefined ? {} : { customAttributes }),
    input: inputOf(request, text('inputlocation'), bucket),
    output: parseLocation(folder + name, 'the output', bucket),
    failure: parseLocation(`${folder}${id}-error.out`, 'the output', bucket),
    expiresAtMs:
      now() + 1000 * seconds(text('requestttlseconds'), 'RequestTTLSeconds', 60, 21_600, DEFAULT_TTL_SECONDS),
    timeoutMs:
      1000 *
      seconds(text('invocationtimeoutseconds'), 'InvocationTimeoutSeconds', 1, 3600, DEFAULT_TIMEOUT_SECONDS),
  };
};

/** 202, as soon as the call is kept. */
export const encodeAccepted = (
  { inferenceId, output, failure }: QueuedJob,
  requestId: string,
): HttpResponse =>
  jsonResponse(
    202,
    { InferenceId: inferenceId },
    {
      'x-amzn-requestid': requestId,
      [`${HEADER}outputlocation`]: locationText(output),
      [`${HEADER}failurelocation`]: locationText(failure),
    },
  );

const locationText = ({ bucket, key }: StoredObject): string => `s3://${bucket}/${key}`;

const inputOf = (
  { body = '', isBase64Encoded }: HttpRequest,
  location: string | undefined,
  bucket: string,
): QueuedJob['input'] => {
  if (location !== undefined && body !== '') {
    throw invalid('the input should be Body or InputLocation, but both are there: leave one out');
  }
  if (location !== undefined) return parseLocation(location, 'InputLocation', bucket);
  if (body === '')
    throw invalid('the input is missing: give InputLocation, or a Body of up to 128,000 bytes');
  const bytes = isBase64Encoded ? Math.ceil((body.length * 3) / 4) : Buffer.byteLength(body);
  if (bytes > MAX_INLINE_BYTES + 2) {
    throw invalid(
      `Body has ${bytes} bytes, and at most ${MAX_INLINE_BYTES} go with the call: upload it below s3://${bucket}/async/ and give InputLocation`,
    );
  }
  return { body, isBase64Encoded };
};

/** Only below `async/` of the deployment's bucket: its functions may read and write nothing else. */
const parseLocation = (url: string, what: string, own: string): StoredObject => {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  const isOurs = bucket === own && key.startsWith('async/') && url.length <= 1024;
  if (isOurs && !/(^|\/)\.{1,2}(\/|$)|[\p{Cc}]/u.test(key)) return { bucket, key };
  throw invalid(
    `${what} should be an object below s3://${own}/async/, but is ${JSON.stringify(url.slice(0, 200))}`,
  );
};

/** SageMaker appends it to the configuration's path. */
const extensionOf = (extension = ''): string =>
  extension === '' || extension.endsWith('/')
    ? extension.replace(/^\/+/, '')
    : `${extension.replace(/^\/+/, '')}/`;

const fileNameOf = (name: string | undefined): string | undefined => {
  if (name === undefined) return undefined;
  if (/^[\w.-]{1,32}$/.test(name)) return name;
  throw invalid('Filename should be 1 to 32 letters, digits, dots, underscores or hyphens');
};

const seconds = (
  text: string | undefined,
  name: string,
  min: number,
  max: number,
  fallback: number,
): number => {
  // Digits only: Number reads 0x3c and 6e1 as well.
  const value = text === undefined ? fallback : /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`${name} should be a whole number from ${min} to ${max}, but is ${JSON.stringify(text)}`);
};

const invalid = (message: string): ServingError => new ServingError('ValidationError', message);
