import { callManagement, type ModelAnswer, registerModel } from '../call-management.ts';
import { type CommandSpec, option, type Values, wholeNumber } from '../command.ts';
import { UsageError } from '../usage-error.ts';

const MODEL = ['<model>', 'its name: the key below the models prefix'] as const;

export const copy: CommandSpec = {
  name: 'copy',
  summary: 'make a model of another one, or of an object in S3',
  args: [
    ['<model>', 'what to copy: a model, or s3://bucket/key that the deployment may read'],
    ['<to>', 'the new name'],
  ],
  example: 'copy tenant-7/churn.tar.gz tenant-8/churn.tar.gz',
  async run([url = '', to = ''], _, { connection, output }) {
    const made = await registerModel(connection, { model_name: to, url });
    output.answer(`${to} is a copy of ${url}, callable now`, made);
  },
};

/** Flags come in pairs, to say and to take back. */
const flag = (name: string, summary: string) => [
  option(`--${name}`, summary),
  option(`--no-${name}`, 'takes that back'),
];

export const change: CommandSpec = {
  name: 'set',
  summary: "a model's bounds and place: what is not named stays",
  args: [MODEL],
  options: [
    option(
      '--min-workers <n>',
      'workers that are kept warm for it, at their price; none: takes that back',
    ).argParser(numberOrNone(0)),
    option('--max-workers <n>', 'workers that it may have at most; none: takes that back').argParser(
      numberOrNone(1),
    ),
    option('--max-idle-seconds <n>', 'how long it may go without a call; none: takes that back').argParser(
      numberOrNone(60),
    ),
    ...flag('pinned', 'kept in a slot, whatever its traffic'),
    ...flag('isolated', 'shares its slot with no other model'),
  ],
  example: 'set tenant-7/churn.tar.gz --min-workers 1 --max-workers 4',
  async run([model = ''], values, { connection, output }) {
    const body = settingsOf(values);
    if (Object.keys(body).length === 0) {
      throw new UsageError('set takes what to set: npx mme set --help has the options');
    }
    const answer = await callManagement(connection, 'PUT', model, '', body);
    output.answer(`${model}: ${boundsText(answer)}`, answer);
  },
};

function numberOrNone(min: number): (text: string) => number | 'none' {
  return (text) => (text === 'none' ? text : wholeNumber(min)(text));
}

const settingsOf = (values: Values): object =>
  Object.fromEntries(
    Object.entries({
      min_workers: values['minWorkers'],
      max_workers: values['maxWorkers'],
      max_idle_seconds: values['maxIdleSeconds'],
      pinned: values['pinned'] === false ? null : values['pinned'],
      isolated: values['isolated'] === false ? null : values['isolated'],
    }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value === 'none' ? null : value]])),
  );

export const boundsText = ({ workers, pinned, isolated, maxIdleSeconds }: ModelAnswer): string => {
  const said = [
    // 0 is what an artifact says that asks for none (a worker notes it beside a call).
    ...(workers.min === undefined || workers.min === 0 ? [] : [`at least ${workers.min} workers`]),
    ...(workers.max === undefined ? [] : [`at most ${workers.max} workers`]),
    ...(maxIdleSeconds === undefined ? [] : [`${maxIdleSeconds} s of idleness`]),
    ...(pinned ? ['pinned'] : []),
    ...(isolated ? ['isolated'] : []),
  ];
  return said.length === 0 ? 'no bounds' : said.join(', ');
};

export const preload: CommandSpec = {
  name: 'preload',
  summary: 'open a model on a worker of its group, before anybody calls it',
  args: [MODEL],
  example: 'preload tenant-7/churn.tar.gz',
  async run([model = ''], _, { connection, output }) {
    const answer = await callManagement(connection, 'POST', model, '/preload');
    const text =
      answer.problem === undefined
        ? `${model} is open on a worker; it took ${Math.round(answer.loadMs ?? 0)} ms to load`
        : `${model} is not open as it is in S3: ${answer.problem}`;
    output.answer(text, answer);
  },
};

export const rollback: CommandSpec = {
  name: 'rollback',
  summary: 'bring back the version of the object before this one; again: one further',
  args: [MODEL],
  example: 'rollback tenant-7/churn.tar.gz',
  async run([model = ''], _, { connection, output }) {
    const answer = await callManagement(connection, 'POST', model, '/rollback');
    output.answer(
      `${model} is version ${answer.restoredFrom} again; workers that have it open take it over within a minute`,
      answer,
    );
  },
};
