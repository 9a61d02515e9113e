import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageDeployment } from '../../local/deployment/packaging.ts';
import { POLICY_EXCEPTIONS } from './policy-exceptions.ts';

/** A folder with cfn-lint and checkov in it. */
const checks = process.env['STACK_CHECKS'];
const TITLE =
  checks === undefined
    ? 'the stack, checked by others (skipped: STACK_CHECKS should name the folder of cfn-lint and checkov; .ci/run installs them)'
    : 'the stack, checked by others';

type Resources = Readonly<
  Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
>;

let directory: string;
/** With the defaults; with all that can be turned on, and as many groups as fit; with IAM. */
const stacks: Record<'default' | 'largest' | 'iam', string> = { default: '', largest: '', iam: '' };
const PARAMS = {
  default: [],
  largest: [
    'coldShards=30',
    'hotSlots=10',
    'alarmEmail=operators@example.com',
    'tracing=Active',
    'architecture=arm64',
  ],
  iam: ['authentication=iam', 'alarms=false', 'dashboard=false'],
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stack-'));
  for (const name of ['default', 'largest', 'iam'] as const) {
    await packageDeployment(join(directory, name), PARAMS[name], () => undefined);
    stacks[name] = join(directory, name, 'deployment', 'template.json');
  }
}, 300_000);
afterAll(() => rm(directory, { recursive: true }));

const resourcesOf = async (name: keyof typeof stacks): Promise<Resources> =>
  (JSON.parse(await readFile(stacks[name], 'utf8')) as { Resources: Resources }).Resources;
const ofType = (resources: Resources, type: string) =>
  Object.values(resources).filter(({ Type }) => Type === type);

/** What it prints, whatever its exit code says. */
const run = async (command: string, args: readonly string[]): Promise<string> => {
  const options = { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 };
  return promisify(execFile)(join(checks ?? '', command), args, options).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => {
      if (error.stdout === undefined || error.stdout === '') throw error;
      return error.stdout;
    },
  );
};

describe('the stack', () => {
  it('has 40 groups within what CloudFormation takes', async () => {
    const resources = await resourcesOf('largest');
    // 500 resources, and a template of 1 MB (CloudFormation quotas).
    expect(Object.keys(resources).length).toBeLessThan(500);
    expect((await readFile(stacks.largest)).length).toBeLessThan(1_000_000);
    expect(ofType(resources, 'AWS::Lambda::Function')).toHaveLength(45);
  });

  it('has no provisioned and no reserved concurrency: the first is the scaler’s', async () => {
    for (const name of ['default', 'largest'] as const) {
      const text = await readFile(stacks[name], 'utf8');
      expect(/"(ProvisionedConcurrencyConfig|ReservedConcurrentExecutions)":/.test(text)).toBe(false);
    }
  });

  it('calls every function by its alias', async () => {
    const resources = await resourcesOf('default');
    const aliases = ofType(resources, 'AWS::Lambda::Alias');
    expect(aliases).toHaveLength(ofType(resources, 'AWS::Lambda::Function').length);
    const callers = [
      ...ofType(resources, 'AWS::ApiGatewayV2::Integration').map(
        ({ Properties }) => Properties['IntegrationUri'],
      ),
      ...ofType(resources, 'AWS::Lambda::Url').map(({ Properties }) => Properties['TargetFunctionArn']),
      ...ofType(resources, 'AWS::Lambda::EventSourceMapping').map(
        ({ Properties }) => Properties['FunctionName'],
      ),
      ...ofType(resources, 'AWS::Events::Rule').flatMap(({ Properties }) => Properties['Targets']),
    ].map((target) => JSON.stringify(target));
    expect(callers).toHaveLength(6);
    expect(callers.filter((target) => !target.includes('"live"'))).toEqual([]);
  });

  it('keeps the bucket, and it alone', async () => {
    const resources = Object.entries(await resourcesOf('default')) as [
      string,
      { DeletionPolicy?: string; Type: string },
    ][];
    const kept = resources.filter(
      ([, { DeletionPolicy, Type }]) => DeletionPolicy === 'Retain' && Type !== 'AWS::Lambda::Version',
    );
    expect(kept.map(([id]) => id)).toEqual(['ModelsBucket']);
  });

  it('asks IAM about every caller of either address where it is told to', async () => {
    const resources = await resourcesOf('iam');
    expect(ofType(resources, 'AWS::Lambda::Url').map(({ Properties }) => Properties['AuthType'])).toEqual([
      'AWS_IAM',
    ]);
    const open = ofType(resources, 'AWS::ApiGatewayV2::Route').filter(
      ({ Properties }) => Properties['AuthorizationType'] !== 'AWS_IAM',
    );
    expect(open.map(({ Properties }) => Properties['RouteKey']).sort()).toEqual([
      'GET /openapi.json',
      'GET /ping',
      'GET /v2',
      'GET /v2/health/live',
      'GET /v2/health/ready',
    ]);
    expect(ofType(resources, 'AWS::CloudWatch::Alarm')).toEqual([]);
  });

  it('says what is wrong with a parameter before anything is deployed', async () => {
    const wrong = (param: string) => packageDeployment(join(directory, 'wrong'), [param], () => undefined);
    await expect(wrong('coldShards=39')).rejects.toThrow(
      /coldShards \+ hotSlots is 41: at most 40 fit one stack/,
    );
    await expect(wrong('architecture=sparc')).rejects.toThrow(
      /architecture.*must be equal to one of the allowed values/,
    );
  }, 60_000);
});

describe.skipIf(checks === undefined)(TITLE, () => {
  it.each(['default', 'largest', 'iam'] as const)(
    'by cfn-lint: %s',
    async (name) => {
      // W3005: a DependsOn of the framework's that a reference implies anyway.
      expect(await run('cfn-lint', ['--ignore-checks', 'W3005', '--template', stacks[name]])).toBe('');
    },
    120_000,
  );

  it.each(['default', 'largest'] as const)(
    'by checkov, but for what has a reason: %s',
    async (name) => {
      const args = [
        '--framework',
        'cloudformation',
        '--skip-download',
        '--compact',
        '--quiet',
        '--output',
        'json',
      ];
      const { results } = JSON.parse(await run('checkov', [...args, '--file', stacks[name]])) as {
        results: { failed_checks: readonly { check_id: string; check_name: string; resource: string }[] };
      };
      const isExcepted = (check: string, resource: string): boolean =>
        POLICY_EXCEPTIONS.some((each) => each.check === check && each.resources.test(resource));
      const unexpected = results.failed_checks.filter(
        ({ check_id, resource }) => !isExcepted(check_id, resource),
      );
      expect(
        unexpected.map(({ check_id, check_name, resource }) => [check_id, check_name, resource]),
      ).toEqual([]);
      const failed = new Set(results.failed_checks.map(({ check_id }) => check_id));
      const stale = POLICY_EXCEPTIONS.filter(({ check }) => name === 'largest' && !failed.has(check));
      expect(stale).toEqual([]);
    },
    120_000,
  );
});
