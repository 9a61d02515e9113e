import { parseArgs } from 'node:util';

export const HELP = `Usage: npx mme <command> [options]

  push FILE [MODEL]     upload model.tar.gz (or a folder, which is packed) as MODEL, after opening it here as a worker would
  ls [PREFIX]           the models of the endpoint
  describe MODEL        what it is: its object, inputs and outputs, tier, workers, and what is known of it
  invoke MODEL [BODY]   call it; BODY is text, @FILE, or standard input when absent
  rm MODEL              delete it
  keys create           a key: --models 'tenant-7/*,shared/*' (default *), --role invoke|manage (default invoke), --note TEXT
  keys ls | revoke ID   the keys there are; end one, with effect within seconds
  workers               what has workers and what they cost: each model that is not cold, the busiest cold ones, the shards
  explain MODEL         why a model is where it is: its last decision with all that went into it, and what would change it

  --content-type TYPE   of BODY (default application/json);  --accept TYPE  of the answer
  --no-check            push: upload without opening it first;  --allow-custom-code  push: open a model.mjs as well
  --limit N             ls: at most so many (default 1000)
  --stage NAME          the deployment of this stage in your AWS account (with AWS's own credentials and region);
                        without it: the endpoint that npm start runs on this machine
  --region NAME         its region (default: AWS_REGION, or us-east-1)
  --service NAME        the service's name in serverless.yml (default lambda-mme)
  --bucket NAME         its bucket (default SERVICE-STAGE-models);  --url URL  its endpoint, for describe and invoke
  --json                the same as JSON
  --help                this text

LOCAL_DIR=.local is the folder of the local endpoint.`;

export type Command =
  | { readonly kind: 'help' | 'workers' }
  | { readonly kind: 'explain' | 'describe' | 'rm'; readonly model: string }
  | { readonly kind: 'keys ls' }
  | { readonly kind: 'keys revoke'; readonly id: string }
  | {
      readonly kind: 'keys create';
      readonly models: readonly string[];
      readonly role: 'invoke' | 'manage';
      readonly note: string | undefined;
    }
  | { readonly kind: 'ls'; readonly prefix: string; readonly limit: number }
  | {
      readonly kind: 'push';
      readonly path: string;
      readonly model: string | undefined;
      readonly isChecked: boolean;
      readonly allowCustomCode: boolean;
    }
  | {
      readonly kind: 'invoke';
      readonly model: string;
      readonly body: string | undefined;
      readonly contentType: string;
      readonly accept: string | undefined;
    };

export interface Deployed {
  readonly stage: string;
  readonly region: string;
  readonly service: string;
  readonly bucket: string;
  readonly url: string | undefined;
}

export interface Options {
  readonly command: Command;
  readonly json: boolean;
  /** Absent: the endpoint on this machine. */
  readonly deployed?: Deployed;
}

/** Arguments that cannot be obeyed; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Values = ReturnType<typeof readArguments>['values'];

/** @throws UsageError */
export const parseArguments = (args: readonly string[], region = 'us-east-1'): Options => {
  const { values, positionals } = readArguments(args);
  const { json = false, help = false } = values;
  if (help || positionals.length === 0) return { command: { kind: 'help' }, json };
  const deployed = parseDeployed(values, region);
  return {
    command: parseCommand(positionals, values),
    json,
    ...(deployed === undefined ? {} : { deployed }),
  };
};

const parseDeployed = (values: Values, region: string): Deployed | undefined => {
  const { stage, service = 'lambda-mme', bucket = `${service}-${stage}-models`, url } = values;
  if (stage !== undefined) return { stage, region: values.region ?? region, service, bucket, url };
  const alone = (['region', 'service', 'bucket', 'url'] as const).find((name) => values[name] !== undefined);
  if (alone === undefined) return undefined;
  throw new UsageError(`--${alone} goes with --stage: without it the local endpoint is meant`);
};

const parseCommand = ([name = '', ...rest]: readonly string[], values: Values): Command => {
  switch (name) {
    case 'workers':
      takes(name, rest, 0, 0);
      return { kind: name };
    case 'explain':
    case 'describe':
    case 'rm':
      takes(name, rest, 1, 1);
      return { kind: name, model: rest[0] ?? '' };
    case 'keys':
      return parseKeys(rest, values);
    case 'ls':
      takes(name, rest, 0, 1);
      return { kind: name, prefix: rest[0] ?? '', limit: parseLimit(values.limit ?? '1000') };
    case 'push':
      takes(name, rest, 1, 2);
      return {
        kind: name,
        path: rest[0] ?? '',
        model: rest[1],
        isChecked: values['no-check'] !== true,
        allowCustomCode: values['allow-custom-code'] === true,
      };
    case 'invoke':
      takes(name, rest, 1, 2);
      return {
        kind: name,
        model: rest[0] ?? '',
        body: rest[1],
        contentType: values['content-type'] ?? 'application/json',
        accept: values.accept,
      };
    default:
      throw new UsageError(`there is no command ${JSON.stringify(name)}`);
  }
};

const parseKeys = ([action = '', ...rest]: readonly string[], values: Values): Command => {
  if (action === 'ls') {
    takes('keys ls', rest, 0, 0);
    return { kind: 'keys ls' };
  }
  if (action === 'revoke') {
    takes('keys revoke', rest, 1, 1);
    return { kind: 'keys revoke', id: rest[0] ?? '' };
  }
  if (action !== 'create') throw new UsageError('keys has the commands create, ls and revoke');
  takes('keys create', rest, 0, 0);
  const { models = '*', role = 'invoke', note } = values;
  if (role !== 'invoke' && role !== 'manage') {
    throw new UsageError(`--role must be invoke or manage, but is ${JSON.stringify(role)}`);
  }
  const patterns = models
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
  if (patterns.length === 0 || patterns.length > 50)
    throw new UsageError('--models takes 1 to 50 patterns, between commas');
  return { kind: 'keys create', models: patterns, role, note };
};

const takes = (name: string, given: readonly string[], least: number, most: number): void => {
  if (given.length >= least && given.length <= most) return;
  const count = least === most ? String(most) : `${least} or ${most}`;
  throw new UsageError(`${name} takes ${count} argument${most === 1 ? '' : 's'}, but got ${given.length}`);
};

const parseLimit = (text: string): number => {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new UsageError(`--limit must be a whole number above 0, but is ${JSON.stringify(text)}`);
};

const readArguments = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    stage: text,
    region: text,
    service: text,
    bucket: text,
    url: text,
    limit: text,
    models: text,
    role: text,
    note: text,
    'content-type': text,
    accept: text,
    'no-check': flag,
    'allow-custom-code': flag,
    json: flag,
    help: flag,
  };
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};
