import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, ROOT } from '../../deploy/inputs.ts';
import { packageDeployment } from '../../local/deployment/packaging.ts';
import { actionsIn, actionsOf } from './aws-calls.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

let directory: string;
let resources: Readonly<Record<string, Resource>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'roles-'));
  await packageDeployment(directory, [], () => undefined);
  const text = await readFile(join(directory, 'deployment', 'template.json'), 'utf8');
  ({ Resources: resources } = JSON.parse(text) as { Resources: typeof resources });
}, 150_000);
afterAll(() => rm(directory, { recursive: true }));

const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);

/** The folder below functions/ that a deployed function is built from. */
const folderOf = ({ Properties }: Resource): string =>
  /^dist\/(\w+)\//.exec(String(Properties['Handler']))?.[1] ?? '';

/** The roles that functions of a folder have. */
const rolesOf = (folder: string): readonly string[] => [
  ...new Set(
    ofType('AWS::Lambda::Function')
      .filter(([, each]) => folderOf(each) === folder)
      .map(([, { Properties }]) => (Properties['Role'] as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0]),
  ),
];

const statementsOf = (role: string): readonly Statement[] =>
  (
    (resources[role]?.Properties['Policies'] ?? []) as readonly {
      PolicyDocument: { Statement: Statement[] };
    }[]
  ).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

/** Lambda itself does these in a function's name: its log, and its queue (Lambda developer guide, "Execution role"). */
const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const EVENT_SOURCE = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];

const hasQueue = (folder: string): boolean =>
  ofType('AWS::Lambda::EventSourceMapping').some(([, { Properties }]) =>
    JSON.stringify(Properties['FunctionName']).toLowerCase().includes(folder),
  );

describe('what is read off the code', () => {
  it('has commands of the SDK, calls of the table and signed requests', () => {
    const text = `import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
      client.send(new HeadObjectCommand({}));
      table.call('GetItem', {});
      requests.send({ action: 'ssm:GetParameter' });`;
    expect(actionsIn(text)).toEqual([
      'dynamodb:GetItem',
      's3:GetObject',
      's3:ListBucket',
      'ssm:GetParameter',
    ]);
  });

  it('has every call that lib/aws makes: each file that imports a client or sends anything is understood', async () => {
    const files = await readdir(join(ROOT, 'lib/aws'));
    const silent: string[] = [];
    for (const file of files) {
      const text = await readFile(join(ROOT, 'lib/aws', file), 'utf8');
      const isCaller = /\.send\(|\btable\.call\(/.test(text) && !/interface \w+Requests\b/.test(text);
      // The table's own calls are those of who uses it.
      if (isCaller && file !== 'signed-table.ts' && actionsIn(text).length === 0) silent.push(file);
    }
    expect(silent).toEqual([]);
  });
});

describe.each(FUNCTIONS)('the role of %s', (folder) => {
  it('grants what the function asks for, and nothing more', () => {
    const expected = new Set([...actionsOf(folder), ...LOGS, ...(hasQueue(folder) ? EVENT_SOURCE : [])]);
    const roles = rolesOf(folder);
    expect(roles).toHaveLength(1);
    const granted = new Set(roles.flatMap(statementsOf).flatMap(({ Action }) => Action));
    expect([...granted].sort()).toEqual([...expected].sort());
  });

  it('names resources: its own log, the one table, bucket and queue, the groups', () => {
    for (const { Effect, Action, Resource } of rolesOf(folder).flatMap(statementsOf)) {
      expect(Effect).toBe('Allow');
      const actions = [Action].flat();
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
      if (Resource === '*') expect(actions.filter((action) => !WITHOUT_RESOURCES.has(action))).toEqual([]);
    }
  });

  it('reaches rows of the table by the beginning of their keys, unless it is the scaler, whose they are', () => {
    if (folder === 'scaler') return;
    for (const { Action, Condition } of rolesOf(folder).flatMap(statementsOf)) {
      const actions = [Action].flat().filter((action) => action.startsWith('dynamodb:'));
      if (actions.length === 0 || actions.includes('dynamodb:Query')) continue;
      const keys = Object.values(Condition ?? {}).flatMap((each) => each['dynamodb:LeadingKeys']);
      expect(keys.length).toBeGreaterThan(0);
    }
  });
});

/** They know none (Service Authorization Reference). */
const WITHOUT_RESOURCES: ReadonlySet<string> = new Set([
  'cloudwatch:GetMetricData',
  'lambda:GetAccountSettings',
]);
