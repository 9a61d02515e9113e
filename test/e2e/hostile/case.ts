import aws4 from 'aws4';
import { ROOT } from '../../../deploy/inputs.ts';
import type { Outcome, Wire } from './wire.ts';

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly apiKey: string;
}

/** Who is there, and where. */
export interface Ground {
  readonly host: string;
  readonly endpointName: string;
  /** May call and manage every model. */
  readonly admin: Key;
  /** May call `tenant-7/*`. */
  readonly tenant: Key;
  /** May manage `tenant-7/*`. */
  readonly manager: Key;
  /** Could call everything, until it was revoked. */
  readonly revoked: Key;
}

/** Whose words an answer is in; `parser`: Node's, before anything of ours is asked. */
export type Speaker = 'sagemaker' | 'open-inference' | 'djl' | 'management' | 'control' | 'front' | 'parser';

export interface HostileCase {
  readonly name: string;
  readonly speaker: Speaker | readonly Speaker[];
  readonly status: number | readonly number[];
  /** The error's name, where the speaker has one. */
  readonly type?: string;
  readonly send: (ground: Ground) => Wire | Buffer;
  /** The client says that nothing more comes, as one that breaks off does. */
  readonly isHalfClosed?: boolean;
}

export interface Area {
  readonly area: string;
  readonly cases: readonly HostileCase[];
}

/** The only model that the tenant may call, and a body that it takes. */
export const MODEL = 'tenant-7/iris.tar.gz';
export const BODY = '[[5.1,3.5,1.4,0.2]]';
export const PATH_MODEL = 'tenant-7~1iris';

/** `undefined` leaves a header out that would be there. */
export type Headers = Readonly<Record<string, string | undefined>>;

export interface Spec {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Headers;
  /** Behind the others, as they are: for names that come twice. */
  readonly more?: Wire['headers'];
  readonly body?: string | Buffer;
}

const withHeaders = (base: Headers, changed: Headers): Wire['headers'] => {
  const all = { ...base, ...changed };
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
};

const toWire = (base: Headers, { method = 'POST', target = '/', headers = {}, more = [], body }: Spec) => {
  const bytes = Buffer.from(body ?? '');
  const length = bytes.length === 0 && method === 'GET' ? {} : { 'content-length': String(bytes.length) };
  const own = withHeaders({ ...base, ...length }, headers);
  return { method, target, version: 'HTTP/1.1', headers: [...own, ...more], body: bytes } satisfies Wire;
};

/** A request as it is, with nothing but a host. */
export const bare = ({ host }: Ground, spec: Spec): Wire => toWire({ host }, spec);

/** Any request with the tenant's API key. */
export const keyed = ({ host, tenant }: Ground, spec: Spec): Wire =>
  toWire({ host, 'x-api-key': tenant.apiKey }, spec);

export const invocations = ({ endpointName }: Ground): string => `/endpoints/${endpointName}/invocations`;

/** InvokeEndpoint with the tenant's API key: good but for what is changed. */
export const invoke = (ground: Ground, spec: Spec = {}): Wire =>
  keyed(ground, {
    target: invocations(ground),
    body: BODY,
    ...spec,
    headers: {
      'content-type': 'application/json',
      'x-amzn-sagemaker-target-model': MODEL,
      ...spec.headers,
    },
  });

/** Open Inference with the tenant's API key, and no Content-Type: its bytes reach the worker as they are. */
export const infer = (ground: Ground, spec: Spec = {}): Wire =>
  keyed(ground, { target: `/v2/models/${PATH_MODEL}/infer`, ...spec });

export const predict = (ground: Ground, spec: Spec = {}): Wire =>
  keyed(ground, {
    target: `/predictions/${PATH_MODEL}`,
    body: BODY,
    ...spec,
    headers: { 'content-type': 'application/json', ...spec.headers },
  });

export interface Signing {
  readonly key?: Pick<Key, 'accessKeyId' | 'secretAccessKey'>;
  readonly service?: string;
  readonly region?: string;
  readonly model?: string;
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly atMs?: number;
  /** Headers that are sent and not signed. */
  readonly unsigned?: readonly string[];
  readonly isPresigned?: boolean;
  readonly sessionToken?: string;
}

/** InvokeEndpoint as aws4 signs it with the tenant's key pair. */
export const signed = (ground: Ground, signing: Signing = {}): Wire => {
  const { key = ground.tenant, service = 'sagemaker', region = 'us-east-1', method = 'POST' } = signing;
  const { body = BODY, target = invocations(ground), atMs = Date.now(), sessionToken } = signing;
  const request = {
    host: ground.host,
    method,
    path: target,
    service,
    region,
    body,
    signQuery: signing.isPresigned ?? false,
    headers: {
      'content-type': 'application/json',
      'x-amzn-sagemaker-target-model': signing.model ?? MODEL,
      'x-amz-date': amzDate(atMs),
      ...signing.headers,
    },
    extraHeadersToIgnore: Object.fromEntries((signing.unsigned ?? []).map((name) => [name, true])),
  };
  const { headers, path } = aws4.sign(request, {
    ...key,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });
  const lower = Object.entries(headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  );
  const length = ['content-length', String(Buffer.byteLength(body))] as const;
  return {
    method,
    target: path ?? target,
    version: 'HTTP/1.1',
    headers: [...lower.filter(([name]) => name !== 'content-length'), length],
    body: Buffer.from(body),
  };
};

export const amzDate = (atMs: number): string => new Date(atMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');

/** A request with one header changed after it was made. */
export const altered = (wire: Wire, name: string, change: (value: string) => string): Wire => ({
  ...wire,
  headers: wire.headers.map(([each, value]) => [each, each === name ? change(value) : value] as const),
});

export const added = (wire: Wire, ...more: Wire['headers']): Wire => ({
  ...wire,
  headers: [...wire.headers, ...more],
});

export const without = (wire: Wire, ...names: readonly string[]): Wire => ({
  ...wire,
  headers: wire.headers.filter(([name]) => !names.includes(name)),
});

/** What is wrong with an answer, in words; nothing where it is what it should be. */
export const faultsOf = (asked: HostileCase, outcome: Outcome, ground: Ground): readonly string[] => {
  if (outcome.kind !== 'answer') return isClosable(asked) && outcome.kind === 'closed' ? [] : [outcome.kind];
  const { status, body, headers } = outcome;
  const faults: string[] = [];
  if (![asked.status].flat().includes(status)) faults.push(`status ${status}`);
  const speakers = [asked.speaker].flat();
  if (!speakers.some((speaker) => SPEAKS[speaker](outcome))) faults.push(`not in the words of ${speakers}`);
  if (asked.type !== undefined && !typesOf(outcome).includes(asked.type)) {
    faults.push(`type ${typesOf(outcome)} in place of ${asked.type}`);
  }
  const text = JSON.stringify(headers) + body;
  if (secretsOf(ground).some((secret) => text.includes(secret))) faults.push('tells a secret');
  if (/"(probabilities|model_name|predictions|platform)":/.test(text))
    faults.push('has an answer of a model');
  if (INSIDES.test(text) || text.includes(ROOT)) faults.push('tells of the insides');
  return faults;
};

/** Node closes a connection without a word where it is asked to be a proxy. */
const isClosable = ({ speaker }: HostileCase): boolean => [speaker].flat().includes('parser');

const secretsOf = ({ admin, tenant, manager, revoked }: Ground): readonly string[] =>
  [admin, tenant, manager, revoked].flatMap(({ secretAccessKey, apiKey }) => [secretAccessKey, apiKey]);

/** Stacks and paths of this machine. */
const INSIDES = /\n\s+at |node_modules|\.(ts|mjs|js):\d+|\/tmp\/|\b(Type|Range|URI)Error\b/;

type Answer = Outcome & { readonly kind: 'answer' };

const jsonOf = ({ body }: Answer): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

const typesOf = (answer: Answer): readonly unknown[] => {
  const { type, __type } = jsonOf(answer);
  return [answer.headers['x-amzn-errortype'], type, __type].filter((each) => each !== undefined);
};

const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0;
const isJson = ({ headers }: Answer): boolean => headers['content-type'] === 'application/json';

const SPEAKS: Readonly<Record<Speaker, (answer: Answer) => boolean>> = {
  sagemaker: (answer) =>
    isJson(answer) &&
    isText(jsonOf(answer)['Message']) &&
    isText(answer.headers['x-amzn-errortype']) &&
    isText(answer.headers['x-amzn-requestid']),
  'open-inference': (answer) =>
    isJson(answer) && isText(jsonOf(answer)['error']) && isText(answer.headers['x-amzn-errortype']),
  djl: (answer) => isRest(answer) && isText(answer.headers['x-request-id']),
  management: (answer) => isRest(answer) && isText(answer.headers['x-amzn-requestid']),
  control: (answer) => isText(jsonOf(answer)['__type']) && isText(jsonOf(answer)['message']),
  front: (answer) => isJson(answer) && (isText(jsonOf(answer)['message']) || answer.body === ''),
  parser: ({ status, body, headers }) =>
    status >= 400 && status < 500 && body === '' && headers['content-type'] === undefined,
};

const isRest = (answer: Answer): boolean => {
  const { code, type, message } = jsonOf(answer);
  return isJson(answer) && code === answer.status && isText(type) && isText(message);
};
