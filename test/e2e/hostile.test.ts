import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../deploy/inputs.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { artifactPath } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';
import { apiKeyCases } from './hostile/api-keys.ts';
import { asyncCases } from './hostile/async.ts';
import {
  faultsOf,
  type Ground,
  type HostileCase,
  infer,
  invoke,
  type Key,
  predict,
  signed,
} from './hostile/case.ts';
import { encodingCases } from './hostile/encodings.ts';
import { headerCases } from './hostile/headers.ts';
import { managementCases } from './hostile/management.ts';
import { modelNameCases } from './hostile/model-names.ts';
import { goodOpenInference, openInferenceCases } from './hostile/open-inference.ts';
import { pathCases } from './hostile/paths.ts';
import { signatureCases } from './hostile/signatures.ts';
import { beyondAnEvent, sizeCases } from './hostile/sizes.ts';
import { type Outcome, sendRaw, toBytes, type Wire } from './hostile/wire.ts';

const AREAS = [
  headerCases,
  sizeCases,
  encodingCases,
  pathCases,
  modelNameCases,
  signatureCases,
  apiKeyCases,
  openInferenceCases,
  asyncCases,
  managementCases,
];

let running: RunningCloud;
let ground: Ground;

const mme = async (...args: readonly string[]): Promise<string> => {
  const env = { ...process.env, LOCAL_DIR: running.directory };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...args], {
    env,
  });
  return stdout;
};

const createKey = async (...args: readonly string[]): Promise<Key> =>
  JSON.parse(await mme('keys', 'create', ...args, '--json')) as Key;

beforeAll(async () => {
  running = await startTestCloud({ PARAMS: 'authentication=keys' });
  const { directory, endpoint, cloud } = running;
  await writeEndpointFile(directory, endpoint);
  for (const name of ['tenant-7/iris.tar.gz', 'tenant-8/iris.tar.gz'])
    await mme('push', artifactPath('iris'), name, '--no-check');
  const { accessKeyId, secretAccessKey, apiKey = '' } = endpoint;
  const revoked = await createKey();
  await mme('keys', 'revoke', revoked.accessKeyId);
  ground = {
    host: new URL(cloud.url).host,
    endpointName: endpoint.endpointName,
    admin: { accessKeyId, secretAccessKey, apiKey },
    tenant: await createKey('--models', 'tenant-7/*'),
    manager: await createKey('--models', 'tenant-7/*', '--role', 'manage'),
    revoked,
  };
}, 60_000);
afterAll(() => running.close());

const send = (
  request: Wire | Buffer,
  {
    isHalfClosed = false,
    to = running,
  }: { readonly isHalfClosed?: boolean; readonly to?: RunningCloud } = {},
): Promise<Outcome> =>
  sendRaw({
    port: Number(new URL(to.cloud.url).port),
    bytes: Buffer.isBuffer(request) ? request : toBytes(request),
    isHalfClosed,
    isHead: !Buffer.isBuffer(request) && request.method === 'HEAD',
  });

/** What a good client sends, through every door. */
const goodCalls = (): readonly Wire[] => [
  signed(ground),
  signed(ground, { target: `/endpoints/${ground.endpointName}/invocations?b=%20&a=1` }),
  invoke(ground),
  predict(ground),
  infer(ground, { body: goodOpenInference.json }),
  infer(ground, {
    headers: { 'inference-header-content-length': String(goodOpenInference.length) },
    body: goodOpenInference.body,
  }),
];

const expectGoodAnswers = async (): Promise<void> => {
  for (const call of goodCalls()) {
    const outcome = await send(call);
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 });
  }
};

it('has at least 300 requests, each of a name of its own', () => {
  const names = AREAS.flatMap(({ area, cases }) => cases.map(({ name }) => `${area}: ${name}`));

  expect(names.length).toBeGreaterThanOrEqual(300);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

it('takes a good call through every door', () => expectGoodAnswers());

describe.each(AREAS)('of hostile $area', ({ cases }) => {
  const expectRefused = async (asked: HostileCase): Promise<void> => {
    const outcome = await send(asked.send(ground), asked);
    expect(faultsOf(asked, outcome, ground), JSON.stringify(outcome).slice(0, 600)).toEqual([]);
  };

  for (const asked of cases) {
    it(`${asked.name} is refused`, { concurrent: true }, () => expectRefused(asked));
  }

  it('a good call is answered afterwards', () => expectGoodAnswers());
});

/** As it is on AWS: no body beyond an event comes as far as a function. */
describe("with AWS's limits", () => {
  let limited: RunningCloud;
  beforeAll(async () => {
    limited = await startTestCloud({ LOCAL_LIMITS: 'aws', MODELS: '0' });
  }, 60_000);
  afterAll(() => limited.close());

  it.each(beyondAnEvent)('$name is answered 413 by the front door', async (asked) => {
    const there = { ...ground, host: new URL(limited.cloud.url).host };
    const outcome = await send(asked.send(there), { to: limited });

    expect(faultsOf({ ...asked, speaker: 'front', status: 413 }, outcome, there)).toEqual([]);
    expect(limited.errors).toEqual([]);
  });
});

it('none of it was a fault of the local cloud', () => {
  expect(running.errors).toEqual([]);
});
