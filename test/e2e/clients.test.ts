import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactPath } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

const run = promisify(execFile);
const python = process.env['MME_PYTHON'];
const beside = (program: string): string => join(dirname(python ?? ''), program);
const has = (program: string): boolean =>
  python !== undefined && spawnSync(beside(program), ['--version']).status === 0;

let running: RunningCloud;
let input: string;

beforeAll(async () => {
  running = await startTestCloud({ MODELS: '3' });
  const { bucket, prefix } = running.endpoint;
  await running.cloud.s3.store.put(bucket, `${prefix}iris.tar.gz`, await readFile(artifactPath('iris')));
  input = join(running.directory, 'input.json');
  await writeFile(input, '[[5.1,3.5,1.4,0.2]]');
}, 60_000);
afterAll(() => running.close());

describe('curl', () => {
  it('calls with an API key, and is told what is wrong without one', async () => {
    const { url, endpointName, apiKey } = running.endpoint;
    const call = async (...args: readonly string[]) => {
      const { stdout } = await run('curl', [
        '-s',
        `${url}/endpoints/${endpointName}/invocations`,
        '-w',
        '\n%{http_code}',
        '-H',
        'Content-Type: application/json',
        '-H',
        'X-Amzn-SageMaker-Target-Model: iris.tar.gz',
        '--data-binary',
        `@${input}`,
        ...args,
      ]);
      return stdout;
    };
    expect(await call('-H', `x-api-key: ${apiKey}`)).toMatch(/"label".*\n200$/);
    expect(await call()).toMatch(/x-api-key.*\n403$/);
  });
});

describe.skipIf(!has('aws'))('the AWS CLI, unchanged (beside MME_PYTHON)', () => {
  const aws = async (...args: readonly string[]): Promise<string> => {
    const { url, region, accessKeyId, secretAccessKey } = running.endpoint;
    const { stdout } = await run(beside('aws'), ['--endpoint-url', url, '--region', region, ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: running.directory,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      timeout: 30_000,
    });
    return stdout;
  };

  it('uploads a model and calls it', async () => {
    const { bucket, prefix, endpointName } = running.endpoint;
    await aws('s3', 'cp', artifactPath('iris'), `s3://${bucket}/${prefix}by-cli.tar.gz`);
    const output = join(running.directory, 'output.json');
    const said = await aws(
      'sagemaker-runtime',
      'invoke-endpoint',
      '--endpoint-name',
      endpointName,
      '--target-model',
      'by-cli.tar.gz',
      '--content-type',
      'application/json',
      '--body',
      `fileb://${input}`,
      output,
    );
    expect(JSON.parse(said)).toMatchObject({
      ContentType: 'application/json',
      InvokedProductionVariant: 'AllTraffic',
    });
    expect(JSON.parse(await readFile(output, 'utf8'))).toMatchObject({ label: [0] });
  });

  it('calls asynchronously, and waits for the output', async () => {
    const { bucket, endpointName } = running.endpoint;
    await aws('s3', 'cp', input, `s3://${bucket}/async/in/cli.json`);
    const accepted = JSON.parse(
      await aws(
        'sagemaker-runtime',
        'invoke-endpoint-async',
        '--endpoint-name',
        endpointName,
        '--custom-attributes',
        'target-model=iris.tar.gz',
        '--content-type',
        'application/json',
        '--input-location',
        `s3://${bucket}/async/in/cli.json`,
      ),
    ) as { OutputLocation: string };
    const key = accepted.OutputLocation.slice(`s3://${bucket}/`.length);
    await aws('s3api', 'wait', 'object-exists', '--bucket', bucket, '--key', key);
    expect(await aws('s3', 'cp', accepted.OutputLocation, '-')).toContain('"label"');
  });

  it('describes endpoints, and is told what is wrong', async () => {
    const { endpointName } = running.endpoint;
    const described = await aws('sagemaker', 'describe-endpoint', '--endpoint-name', endpointName);
    expect(JSON.parse(described)).toMatchObject({ EndpointStatus: 'InService' });
    await expect(aws('sagemaker', 'describe-endpoint', '--endpoint-name', 'none')).rejects.toThrow(
      /ValidationException.*Could not find endpoint/,
    );
  });
});

/** So that requests reach models, beside those that reach none. */
const NAMES_THAT_THERE_ARE = `[parameters]
"path.model" = "diabetes-0001"
"path.EndpointName" = "lambda-mme-dev"
"header.X-Amzn-SageMaker-Target-Model" = "diabetes-0002.tar.gz"
`;

describe.skipIf(!has('schemathesis'))('schemathesis, on the OpenAPI document (beside MME_PYTHON)', () => {
  it.each([
    ['any names', ''],
    ['names that there are', NAMES_THAT_THERE_ARE],
  ])(
    'finds nothing that the service fails over or does not say it answers, with %s',
    async (_, config) => {
      const { url, apiKey } = running.endpoint;
      const file = join(running.directory, 'schemathesis.toml');
      await writeFile(file, config);
      const checks =
        'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
      const options = [
        '--mode',
        'all',
        '--max-examples',
        '30',
        '--seed',
        '7',
        '--request-timeout',
        '30',
        '--no-color',
      ];
      const { stdout } = await run(
        beside('schemathesis'),
        [
          '--config-file',
          file,
          'run',
          `${url}/openapi.json`,
          '--header',
          `x-api-key: ${apiKey}`,
          '--checks',
          checks,
          ...options,
        ],
        {
          cwd: running.directory,
          env: { PATH: process.env['PATH'], HOME: running.directory },
          timeout: 200_000,
          maxBuffer: 64 * 1024 * 1024,
        },
      ).catch((error: Error & { stdout?: string }) => {
        throw new Error(error.stdout?.slice(-6000) ?? error.message);
      });
      expect(Number(/(\d+) generated/.exec(stdout)?.[1])).toBeGreaterThan(300);
    },
    260_000,
  );
});
