import { beforeEach, describe, expect, it } from 'vitest';
import { ControlError } from '../../../lib/sagemaker/control-error.ts';
import { createControlPlane } from '../../../lib/sagemaker/control-plane.ts';
import type { SageMakerRecords } from '../../../lib/sagemaker/records.ts';
import { memoryRecords } from '../../fakes/memory-records.ts';

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:';
let nowMs: number;
let records: SageMakerRecords;

const call = (operation: string, input: unknown = {}): Promise<Readonly<Record<string, unknown>>> => {
  const plane = createControlPlane({
    records,
    bucket: 'bucket',
    prefix: 'models/',
    endpointName: 'own',
    now: () => nowMs,
  });
  const run = plane[operation];
  if (run === undefined) throw new Error(`no operation ${operation}`);
  return run(input, ARN);
};

const container = { Image: 'image', Mode: 'MultiModel', ModelDataUrl: 's3://bucket/models/team' };
const createModel = (ModelName = 'm', more: object = {}) =>
  call('CreateModel', { ModelName, ExecutionRoleArn: 'role', PrimaryContainer: { ...container, ...more } });
const createConfig = (EndpointConfigName = 'c', more: object = {}) =>
  call('CreateEndpointConfig', {
    EndpointConfigName,
    ProductionVariants: [{ VariantName: 'blue', ModelName: 'm', InitialInstanceCount: 1 }],
    ...more,
  });
const createEndpoint = (EndpointName = 'e', EndpointConfigName = 'c') =>
  call('CreateEndpoint', { EndpointName, EndpointConfigName });

beforeEach(() => {
  nowMs = 1_000_000;
  records = memoryRecords();
});

describe('an endpoint', () => {
  beforeEach(async () => {
    await createModel();
    await createConfig();
  });

  it('is made of a configuration, and routers find its prefix and variant', async () => {
    expect(await createEndpoint()).toEqual({ EndpointArn: `${ARN}endpoint/e` });
    expect((await records.find('endpoint', 'e'))?.route).toEqual({ prefix: 'team/', variant: 'blue' });
    expect(await call('DescribeEndpoint', { EndpointName: 'e' })).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'c',
      CreationTime: 1000,
      ProductionVariants: [{ VariantName: 'blue' }],
    });
  });

  it('changes its configuration, and is none the worse for the loss of the old one', async () => {
    await createEndpoint();
    await createModel('m2', { ModelDataUrl: 's3://bucket/models/' });
    await createConfig('c2', { ProductionVariants: [{ VariantName: 'green', ModelName: 'm2' }] });
    nowMs += 5000;
    await call('UpdateEndpoint', { EndpointName: 'e', EndpointConfigName: 'c2' });
    await call('DeleteEndpointConfig', { EndpointConfigName: 'c2' });
    expect((await records.find('endpoint', 'e'))?.route).toEqual({ prefix: '', variant: 'green' });
    expect(await call('DescribeEndpoint', { EndpointName: 'e' })).toMatchObject({
      CreationTime: 1000,
      LastModifiedTime: 1005,
    });
  });

  it('leaves answers of asynchronous calls where its configuration says', async () => {
    const config = (S3OutputPath: string) => ({ AsyncInferenceConfig: { OutputConfig: { S3OutputPath } } });
    await createConfig('async', config('s3://bucket/async/team'));
    await createEndpoint('e', 'async');
    expect((await records.find('endpoint', 'e'))?.route?.asyncOutput).toBe('s3://bucket/async/team/');
    for (const path of ['s3://bucket/models/out', 's3://other/async/', 's3://bucket/asynchronous/']) {
      await expect(createConfig('bad', config(path))).rejects.toThrow(
        /S3OutputPath should be s3:\/\/bucket\/async\//,
      );
    }
  });

  it('is one of those listed, with the own one of the deployment', async () => {
    await createEndpoint();
    const listed = await call('ListEndpoints');
    expect(
      (listed['Endpoints'] as { EndpointName: string }[]).map(({ EndpointName }) => EndpointName),
    ).toEqual(['e', 'own']);
    expect((await call('ListEndpoints', { StatusEquals: 'Failed' }))['Endpoints']).toEqual([]);
  });

  it.each([
    [
      'CreateEndpoint',
      { EndpointName: 'own', EndpointConfigName: 'c' },
      /Cannot create already existing endpoint/,
    ],
    ['UpdateEndpoint', { EndpointName: 'own', EndpointConfigName: 'c' }, /is the deployment's own/],
    ['DeleteEndpoint', { EndpointName: 'own' }, /goes with the deployment \(npx serverless remove\)/],
    ['DeleteEndpoint', { EndpointName: 'none' }, /Could not find endpoint "arn:.*:endpoint\/none"/],
    [
      'CreateEndpoint',
      { EndpointName: 'e', EndpointConfigName: 'none' },
      /Could not find endpoint configuration/,
    ],
    [
      'CreateEndpoint',
      { EndpointName: '-e', EndpointConfigName: 'c' },
      /EndpointName: should be letters, digits/,
    ],
    ['CreateEndpoint', {}, /EndpointName: /],
    ['CreateEndpointConfig', { EndpointConfigName: 'x', ProductionVariants: [] }, /ProductionVariants: /],
    [
      'CreateEndpointConfig',
      {
        EndpointConfigName: 'x',
        ProductionVariants: [
          { VariantName: 'a', ModelName: 'm' },
          { VariantName: 'b', ModelName: 'm' },
        ],
      },
      /ProductionVariants should be one/,
    ],
    [
      'CreateEndpointConfig',
      { EndpointConfigName: 'x', ProductionVariants: [{ VariantName: 'a', ModelName: 'none' }] },
      /Could not find model/,
    ],
  ])('%s %j is refused', async (operation, input, message) => {
    await expect(call(operation, input)).rejects.toThrow(ControlError);
    await expect(call(operation, input)).rejects.toThrow(message);
  });
});

describe('a model', () => {
  it.each([
    [{ Mode: 'SingleModel' }, /Mode should be MultiModel/],
    [{ Mode: undefined }, /Mode should be MultiModel/],
    [{ ModelDataUrl: undefined }, /ModelDataUrl is missing/],
    [{ ModelDataUrl: 's3://other/models/' }, /ModelDataUrl should be s3:\/\/bucket\/models\//],
    [{ ModelDataUrl: 's3://bucket/models/../secrets' }, /ModelDataUrl should be/],
    [{ ModelDataUrl: 's3://bucket/modelsx/' }, /ModelDataUrl should be/],
    [{ ModelDataUrl: 's3://bucket/models//a' }, /ModelDataUrl should be/],
    [{ Environment: { large: 'x'.repeat(100_001) } }, /has more than 100000 characters/],
  ])('of %j is refused', async (more, message) => {
    await expect(createModel('m', more)).rejects.toThrow(message);
  });

  it('has one container', async () => {
    await expect(call('CreateModel', { ModelName: 'm', Containers: [container, container] })).rejects.toThrow(
      /has 2/,
    );
    await call('CreateModel', { ModelName: 'm', Containers: [container] });
    expect(await call('DescribeModel', { ModelName: 'm' })).toMatchObject({ Containers: [container] });
  });
});

describe('a list', () => {
  beforeEach(async () => {
    for (let index = 0; index < 25; index++) {
      nowMs += 1000;
      await createModel(`m-${String(index).padStart(2, '0')}`);
    }
  });
  const names = (listed: Readonly<Record<string, unknown>>) =>
    (listed['Models'] as { ModelName: string }[]).map(({ ModelName }) => ModelName);

  it('comes in pages, newest first', async () => {
    const found: string[] = [];
    let NextToken: unknown;
    do {
      const page = await call('ListModels', { MaxResults: 10, NextToken });
      found.push(...names(page));
      NextToken = page['NextToken'];
    } while (NextToken !== undefined);
    expect(found).toHaveLength(25);
    expect(found.slice(0, 2)).toEqual(['m-24', 'm-23']);
  });

  it('is filtered and sorted as SageMaker does', async () => {
    const byName = { SortBy: 'Name', SortOrder: 'Ascending', NameContains: 'M-1' };
    expect(names(await call('ListModels', byName))[0]).toBe('m-10');
    expect(names(await call('ListModels', { CreationTimeAfter: 1024 }))).toEqual(['m-24']);
    expect(names(await call('ListModels', { CreationTimeBefore: 1002 }))).toEqual(['m-00']);
  });

  it.each([[{ NextToken: 'nonsense' }], [{ MaxResults: 0 }], [{ MaxResults: 101 }], [{ SortBy: 'Size' }]])(
    'with %j is refused',
    async (input) => {
      await expect(call('ListModels', input)).rejects.toThrow(ControlError);
    },
  );
});
