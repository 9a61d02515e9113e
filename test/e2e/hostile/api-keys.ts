import {
  type Area,
  bare,
  type Ground,
  type Headers,
  type HostileCase,
  infer,
  invocations,
  invoke,
  predict,
  without,
} from './case.ts';
import { utf8 } from './wire.ts';

type Wrong = readonly [what: string, key: (ground: Ground) => string];

const flipped = (text: string, at: number): string => {
  const letter = text.at(at) === 'A' ? 'B' : 'A';
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + letter + text.slice(index + 1);
};

const WRONG: readonly Wrong[] = [
  ['nothing', () => ''],
  ['a guess', () => 'guess'],
  ['undefined', () => 'undefined'],
  ['null', () => 'null'],
  ['its form alone', () => `mme_MME${'A'.repeat(17)}_${'A'.repeat(43)}`],
  ['another first letter', ({ tenant }) => flipped(tenant.apiKey, 0)],
  ['another letter of its secret', ({ tenant }) => flipped(tenant.apiKey, -20)],
  ['another last letter', ({ tenant }) => flipped(tenant.apiKey, -1)],
  ['another id', ({ tenant }) => flipped(tenant.apiKey, 9)],
  [
    'the id of another key',
    ({ tenant, admin }) => tenant.apiKey.replace(tenant.accessKeyId, admin.accessKeyId),
  ],
  ['half of it', ({ tenant }) => tenant.apiKey.slice(0, 30)],
  ['a letter more', ({ tenant }) => `${tenant.apiKey}A`],
  ['it twice', ({ tenant }) => `${tenant.apiKey}, ${tenant.apiKey}`],
  ['it in quotes', ({ tenant }) => `"${tenant.apiKey}"`],
  ['it behind Bearer', ({ tenant }) => `Bearer ${tenant.apiKey}`],
  ['it in small letters', ({ tenant }) => tenant.apiKey.toLowerCase()],
  ['it in base64', ({ tenant }) => Buffer.from(tenant.apiKey).toString('base64')],
  ['it with a letter of no width', ({ tenant }) => utf8(`${tenant.apiKey}\u200b`)],
  ['its id', ({ tenant }) => tenant.accessKeyId],
  ['the secret of its pair', ({ tenant }) => tenant.secretAccessKey],
  ['a revoked key', ({ revoked }) => revoked.apiKey],
  ['5,000 letters', () => 'A'.repeat(5000)],
  ['the hash of nothing', () => 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['a pattern', () => 'mme_*'],
  ['a tab', () => 'mme\t'],
];

const wrong = WRONG.map(
  ([what, key]): HostileCase => ({
    name: `x-api-key: ${what}`,
    speaker: 'sagemaker',
    status: 403,
    type: 'UnrecognizedClientException',
    send: (ground) => invoke(ground, { headers: { 'x-api-key': key(ground) } }),
  }),
);

/** The same lock at every door. */
const doors = (
  [
    ['open-inference', infer],
    ['djl', predict],
  ] as const
).flatMap(([speaker, send]): readonly HostileCase[] => [
  ...WRONG.slice(1, 8).map(
    ([what, key]): HostileCase => ({
      name: `x-api-key at ${speaker}: ${what}`,
      speaker,
      status: 403,
      type: 'UnrecognizedClientException',
      send: (ground) => send(ground, { headers: { 'x-api-key': key(ground) } }),
    }),
  ),
  {
    name: `no key at ${speaker}`,
    speaker,
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => without(send(ground), 'x-api-key'),
  },
  {
    name: `a revoked key at ${speaker}`,
    speaker,
    status: 403,
    type: 'UnrecognizedClientException',
    send: (ground) => send(ground, { headers: { 'x-api-key': ground.revoked.apiKey } }),
  },
]);

type Place = (ground: Ground) => { readonly query?: string; readonly headers?: Headers };

const PLACES: readonly (readonly [what: string, place: Place])[] = [
  ['in the query', ({ tenant }) => ({ query: `?x-api-key=${tenant.apiKey}` })],
  ['as a cookie', ({ tenant }) => ({ headers: { cookie: `x-api-key=${tenant.apiKey}` } })],
  ['in x-api_key', ({ tenant }) => ({ headers: { 'x-api_key': tenant.apiKey } })],
  ['in api-key', ({ tenant }) => ({ headers: { 'api-key': tenant.apiKey } })],
];

const elsewhere = PLACES.map(
  ([what, place]): HostileCase => ({
    name: `an API key ${what}`,
    speaker: 'sagemaker',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => {
      const { query = '', headers = {} } = place(ground);
      return without(invoke(ground, { target: invocations(ground) + query, headers }), 'x-api-key');
    },
  }),
);

/** What tells of models takes a key, too. */
const told: readonly HostileCase[] = ['', '/ready', '/versions/1', '/versions/1/ready'].map((path) => ({
  name: `GET /v2/models/tenant-7~1iris${path} without a key`,
  speaker: 'open-inference',
  status: 403,
  type: 'MissingAuthenticationTokenException',
  send: (ground) => bare(ground, { method: 'GET', target: `/v2/models/tenant-7~1iris${path}` }),
}));

const behindASignature: readonly HostileCase[] = ['', 'Bearer guess', 'Basic Og=='].map((authorization) => ({
  name: `a good API key beside Authorization ${JSON.stringify(authorization)}`,
  speaker: 'sagemaker',
  status: 403,
  type: 'InvalidSignatureException',
  send: (ground) => invoke(ground, { headers: { authorization } }),
}));

export const apiKeyCases: Area = {
  area: 'API keys',
  cases: [...wrong, ...doors, ...elsewhere, ...told, ...behindASignature],
};
