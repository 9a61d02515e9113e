import { ServingError } from '../../errors.ts';

/** What a value is made of: the request, another value, or a step applied to such. */
export type Expression =
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'step'; readonly step: string; readonly args: readonly Expression[] }
  /** Several steps, each applied to the same: `functionsApply`. */
  | { readonly kind: 'each'; readonly steps: readonly string[]; readonly arg: Expression };

export interface Workflow {
  /** Where the model of a step is, by the step's name: a path in the archive, or a model of the endpoint. */
  readonly parts: ReadonlyMap<string, string>;
  /** By name; `out` is the answer, `in` is the request and is not among them. */
  readonly values: ReadonlyMap<string, Expression>;
}

/** Steps that need no model. */
export const BUILT_IN: ReadonlySet<string> = new Set(['id', 'ensemble']);

const KEYS = new Set([
  'name',
  'version',
  'baseUri',
  'models',
  'functions',
  'configs',
  'workflow',
  'minWorkers',
  'maxWorkers',
  'batchSize',
  'maxBatchDelay',
  'retryAttempts',
  'timeout',
]);
const MAX_PARTS = 64;
const MAX_STEPS = 256;
const MAX_DEPTH = 32;
const MAX_MESSAGE = 600;

/**
 * Reads DJL Serving's workflow.json (serving/docs/workflows.md): `models` and `functions` by name, and `workflow`, values
 * by name, each `[step, argument, ...]`, nestable. Everything that is named must be there, and no value may need itself.
 * @throws ServingError ModelError that says where, what was expected and what came.
 */
export const parseWorkflow = (text: string): Workflow => {
  const root = readObject(parseJson(text), 'it');
  const unknown = Object.keys(root).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw invalid(`has ${quote(unknown)}, which is no key of a workflow`);

  const base = readBase(root['baseUri']);
  const parts = new Map([
    ...readParts(root['models'] ?? {}, 'models', base),
    ...readParts(root['functions'] ?? {}, 'functions', base),
  ]);
  if (parts.size > MAX_PARTS)
    throw invalid(`has ${parts.size} models and functions: at most ${MAX_PARTS} are possible`);
  const builtIn = [...parts.keys()].find((name) => BUILT_IN.has(name) || name === 'functionsApply');
  if (builtIn !== undefined)
    throw invalid(`calls a model ${quote(builtIn)}, which is a step of its own: choose another name`);

  const reader = expressionReader(parts);
  const definitions = Object.entries(readObject(root['workflow'], 'workflow'));
  if (definitions.length > MAX_STEPS)
    throw invalid(`defines ${definitions.length} values: at most ${MAX_STEPS} are possible`);
  const values = new Map(definitions.map(([name, value]) => [name, reader(value, `workflow.${name}`, 0)]));
  if (values.has('in')) throw invalid('defines "in", which is the request');
  if (!values.has('out')) throw invalid('should define "out", the answer, in workflow');
  checkOrder(values);
  return { parts, values };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
};

/** Only the archive itself can be a base. */
const readBase = (base: unknown): string => {
  if (base === undefined || base === '' || base === '.' || base === '{model_dir}') return '';
  const folder = typeof base === 'string' ? base.replace(/^\{model_dir\}\//, '') : '';
  if (/^[\w.-]+(\/[\w.-]+)*\/?$/.test(folder) && !folder.split('/').includes('..'))
    return folder.endsWith('/') ? folder : `${folder}/`;
  throw invalid(`baseUri should be a folder of the archive, but is ${quote(base)}`);
};

const readParts = (value: unknown, where: string, base: string): readonly (readonly [string, string])[] =>
  Object.entries(readObject(value, where)).map(([name, part]) => [
    name,
    readPart(part, `${where}.${name}`, base),
  ]);

const readPart = (part: unknown, where: string, base: string): string => {
  if (typeof part === 'string') return resolvePart(part, where, base);
  const criteria = readObject(part, where);
  const url = criteria['modelUrl'] ?? criteria['model_url'];
  const other = Object.keys(criteria).find((key) => key !== 'modelUrl' && key !== 'model_url');
  if (typeof url === 'string' && other === undefined) return resolvePart(url, where, base);
  throw invalid(
    `${where} should say where the model is (a path in the archive, or the name of a model of this endpoint), ${other === undefined ? 'and does not' : `but has ${quote(other)}, which means nothing here`}`,
  );
};

const resolvePart = (url: string, where: string, base: string): string => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw invalid(
      `${where} is ${quote(url)}: models are not fetched from elsewhere; pack it into the archive, or upload it to this endpoint and name it`,
    );
  }
  if (/^[\w$]+(\.[\w$]+)+\.[A-Z]\w*$/.test(url)) {
    throw invalid(
      `${where} is ${quote(url)}: Java classes do not run here; write it as a model.mjs and name its path`,
    );
  }
  const path = url.startsWith('{model_dir}/') ? url.slice('{model_dir}/'.length) : base + url;
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.length === 0 || path.startsWith('/') || segments.includes('..')) {
    throw invalid(`${where} should be a path within the archive, but is ${quote(url)}`);
  }
  return segments.join('/');
};

const expressionReader = (parts: ReadonlyMap<string, string>) => {
  let steps = 0;

  const readStep = (step: unknown, where: string): string => {
    if (typeof step === 'string' && (parts.has(step) || BUILT_IN.has(step))) return step;
    const known = [...parts.keys(), ...BUILT_IN, 'functionsApply'].join(', ');
    throw invalid(
      `${where} names ${quote(step)}, which is neither a model nor a function: there are ${known}`,
    );
  };

  const read = (value: unknown, where: string, depth: number): Expression => {
    if (depth > MAX_DEPTH) throw invalid(`${where} is nested deeper than ${MAX_DEPTH}`);
    if (typeof value === 'string') return { kind: 'value', name: value };
    if (!Array.isArray(value) || value.length < 2) {
      throw invalid(`${where} should be a value's name, or [step, argument, ...], but is ${quote(value)}`);
    }
    steps += 1;
    if (steps > MAX_STEPS) throw invalid(`has more than ${MAX_STEPS} steps`);

    const [step, ...args] = value as readonly unknown[];
    if (step === 'functionsApply') return readEach(args, where, depth);
    const name = readStep(step, where);
    if (name === 'id' && args.length !== 1)
      throw invalid(`${where}: id takes one argument, but got ${args.length}`);
    return {
      kind: 'step',
      step: name,
      args: args.map((arg, index) => read(arg, `${where}[${index + 1}]`, depth + 1)),
    };
  };

  const readEach = (args: readonly unknown[], where: string, depth: number): Expression => {
    const [names, arg] = args;
    if (args.length !== 2 || !Array.isArray(names) || names.length === 0) {
      throw invalid(`${where} should be ["functionsApply", [step, ...], argument], but is ${quote(args)}`);
    }
    const found = names.map((name, index) => readStep(name, `${where}[1][${index}]`));
    return { kind: 'each', steps: found, arg: read(arg, `${where}[2]`, depth + 1) };
  };

  return read;
};

/** Every value that is named is there, and none needs itself. */
const checkOrder = (values: ReadonlyMap<string, Expression>): void => {
  const done = new Set<string>(['in']);
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name))
      throw invalid(`has a cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}`);
    const expression = values.get(name);
    if (expression === undefined) {
      throw invalid(
        `workflow.${path.at(-1)} needs ${quote(name)}, which is not defined: there are ${['in', ...values.keys()].join(', ')}`,
      );
    }
    for (const needed of valuesOf(expression)) visit(needed, [...path, name]);
    done.add(name);
  };
  for (const name of values.keys()) visit(name, []);
};

const valuesOf = (expression: Expression): readonly string[] => {
  if (expression.kind === 'value') return [expression.name];
  return expression.kind === 'each' ? valuesOf(expression.arg) : expression.args.flatMap(valuesOf);
};

const readObject = (value: unknown, where: string): Readonly<Record<string, unknown>> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(`${where} should be an object, but is ${quote(value)}`);
};

/** What came, fit for a message: never all of it, and nothing of what is in it. */
const quote = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
};

const invalid = (problem: string): ServingError =>
  new ServingError('ModelError', `workflow.json ${problem.slice(0, MAX_MESSAGE)}`);
