import type { InferenceCall } from '../../lib/protocol/envelope.ts';
import { NUMPY_TYPES, nest, npy, OPEN_TYPES, rawBytes, zip } from './encode.ts';
import { type Place, placesOf, Raw, replaceAt, toJson, valueAt } from './json-text.ts';
import { damage, type Random, randomOf } from './random.ts';
import { type Given, type Leaf, SUBJECTS, type Subject } from './subjects.ts';

/**
 * right: must be answered, and rightly. right-or-refused: what is answered must be right. refused: must not be
 * answered. any: may still mean something, so an answer need only be one.
 */
export type Verdict = 'right' | 'right-or-refused' | 'refused' | 'any';

export interface Case {
  readonly number: number;
  /** What was done, for the list of answers. */
  readonly what: string;
  readonly call: InferenceCall;
  readonly verdict: Verdict;
  readonly expected: readonly Leaf[];
}

interface Body {
  readonly what: string;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  /** What the bytes were written from, where they are JSON. */
  readonly tree?: unknown;
  readonly verdict: Verdict;
  /** Where the answer goes as it came; else Accept is chosen. */
  readonly accept?: string | undefined;
}

const BINARY = 'application/vnd.sagemaker-triton.binary+json';

/** The request of this number: good ones, and what is made of them. */
export const bodyCase = (seed: number, number: number): Case => {
  const random = randomOf(seed, 'body', number);
  const subject = random.pick(SUBJECTS);
  const given = subject.give(random);
  const good = random.pick(formsFor(subject, given))(random, subject, given);
  const body = random.chance(0.25) ? good : random.pick(mutationsFor(good))(random, good, subject, given);
  const isText = body.bytes.equals(Buffer.from(body.bytes.toString()));
  const isBase64Encoded = !isText || random.chance(0.2);
  return {
    number,
    what: body.what,
    call: {
      model: subject.name,
      contentType: body.contentType,
      accept: 'accept' in body ? body.accept : goodAccept(random, subject, given),
      body: body.bytes.toString(isBase64Encoded ? 'base64' : 'utf8'),
      isBase64Encoded,
    },
    verdict: body.verdict,
    expected: subject.answer(given),
  };
};

const goodAccept = (random: Random, { outputs }: Subject, [given]: readonly Given[]): string | undefined =>
  random.pick([
    undefined,
    '*/*',
    'application/json',
    'application/json;q=0.5, */*;q=0.1',
    'text/html, application/json',
    'application/x-npz',
    BINARY,
    ...(outputs === 1 ? ['application/x-npy'] : []),
    ...((given?.shape.length ?? 0) <= 2 ? ['text/csv'] : []),
  ]);

type Form = (random: Random, subject: Subject, given: readonly Given[]) => Body;

const formsFor = ({ inputs }: Subject, given: readonly Given[]): readonly Form[] => {
  const [first] = given;
  const rank = first?.shape.length ?? 0;
  const isEmptyText = given.some(({ values }) => values.includes('') && values.length === 1);
  const hasLines = given.some(({ values }) =>
    values.some((value) => typeof value === 'string' && /\n|^\s*$/.test(value)),
  );
  const single: readonly Form[] =
    inputs.length > 1 ? [] : [bare, instances, inputsValue, ...(isEmptyText ? [] : [npyForm])];
  const csvForms = inputs.length === 1 && rank <= 2 && !hasLines ? [csv] : [];
  return [...single, ...csvForms, inputsNamed, bareNamed, rows, openFlat, openFlat, openNested, npz, binary];
};

/** 64-bit integers may be strings. */
const jsonValues = (random: Random, { values, spec }: Given): readonly unknown[] =>
  spec.type === 'int64' && random.chance(0.3) ? values.map(String) : values;

const nested = (random: Random, given: Given): unknown => nest(jsonValues(random, given), given.shape);

const json = (random: Random, what: string, tree: unknown): Body => ({
  what,
  contentType: random.pick([
    'application/json',
    undefined,
    'application/json; charset=utf-8',
    'Application/JSON',
  ]),
  bytes: Buffer.from(random.chance(0.1) ? ` ${toJson(tree)}\n` : toJson(tree)),
  tree,
  verdict: 'right',
});

const one = (given: readonly Given[]): Given => {
  const [only] = given;
  if (only === undefined) throw new Error('a subject without inputs');
  return only;
};

const named = (random: Random, given: readonly Given[]): unknown =>
  Object.fromEntries(given.map((each) => [each.spec.name, nested(random, each)]));

const bare: Form = (random, _, given) => json(random, 'bare', nested(random, one(given)));
const instances: Form = (random, _, given) =>
  json(random, 'instances', { instances: nested(random, one(given)) });
const inputsValue: Form = (random, _, given) =>
  json(random, 'inputs', { inputs: nested(random, one(given)) });
const inputsNamed: Form = (random, _, given) =>
  json(random, 'inputs by name', { inputs: named(random, given) });
const bareNamed: Form = (random, _, given) => json(random, 'by name', named(random, given));

const rows: Form = (random, _, given) => {
  const tables = given.map((each) => ({ name: each.spec.name, table: nested(random, each) as unknown[] }));
  const count = one(given).shape[0] ?? 0;
  return json(random, 'rows by name', {
    instances: Array.from({ length: count }, (_row, row) =>
      Object.fromEntries(tables.map(({ name, table }) => [name, table[row]])),
    ),
  });
};

const openInput = (random: Random, { spec, shape, values }: Given, data: unknown): unknown => ({
  name: spec.name,
  shape,
  datatype: OPEN_TYPES[spec.type],
  ...(random.chance(0.1) ? { parameters: {} } : {}),
  data: data ?? values,
});

const openTree = (random: Random, inputs: readonly unknown[]): unknown => ({
  ...(random.chance(0.3) ? { id: 'request "1"' } : {}),
  inputs: random.chance(0.2) ? inputs.toReversed() : inputs,
  ...(random.chance(0.1) ? { parameters: { binary_data_output: random.chance(0.5) } } : {}),
});

const openFlat: Form = (random, _, given) =>
  json(
    random,
    'open inference',
    openTree(
      random,
      given.map((each) => openInput(random, each, jsonValues(random, each))),
    ),
  );

const openNested: Form = (random, _, given) =>
  json(
    random,
    'open inference, nested',
    openTree(
      random,
      given.map((each) => openInput(random, each, nested(random, each))),
    ),
  );

const csv: Form = (random, _, given) => {
  const { values, shape, spec } = one(given);
  const columns = shape[1] ?? 1;
  const quote = (value: Leaf): string =>
    typeof value === 'string' && (random.chance(0.2) || /[",]/.test(value))
      ? `"${value.replaceAll('"', '""')}"`
      : String(value);
  const fields = values.map((value) =>
    spec.type !== 'string' && random.chance(0.1) ? ` ${value} ` : quote(value),
  );
  const end = random.pick(['\n', '\r\n']);
  const lines = Array.from({ length: shape[0] ?? 0 }, (_row, row) =>
    fields.slice(row * columns, (row + 1) * columns).join(','),
  );
  return {
    what: 'csv',
    contentType: random.pick(['text/csv', 'text/csv; charset=utf-8', 'TEXT/CSV']),
    bytes: Buffer.from(lines.join(end) + (random.chance(0.5) ? end : '')),
    verdict: 'right',
  };
};

const npyForm: Form = (random, _, given) => ({
  what: 'npy',
  contentType: 'application/x-npy',
  bytes: npy(random, one(given)),
  verdict: 'right',
});

const members = (random: Random, given: readonly Given[]) =>
  given.map((each) => ({
    name: `${each.spec.name}.npy`,
    content: npy(random, each),
    deflated: random.chance(0.5),
  }));

const npz: Form = (random, _, given) => ({
  what: 'npz',
  contentType: 'application/x-npz',
  bytes: zip(members(random, given)),
  verdict: 'right',
});

const binary: Form = (random, _, given) => {
  const parts: Buffer[] = [];
  const inputs = given.map((each) => {
    if (random.chance(0.3)) return openInput(random, each, undefined);
    const part = rawBytes(each);
    parts.push(part);
    return {
      name: each.spec.name,
      shape: each.shape,
      datatype: OPEN_TYPES[each.spec.type],
      parameters: { binary_data_size: part.length },
    };
  });
  const header = Buffer.from(toJson({ inputs }));
  const isPlain = parts.length === 0 && random.chance(0.5);
  return {
    what: 'binary',
    contentType: isPlain ? BINARY : `${BINARY};json-header-size=${header.length}`,
    bytes: Buffer.concat([header, ...parts]),
    verdict: 'right',
  };
};

type Mutation = (random: Random, good: Body, subject: Subject, given: readonly Given[]) => Body;

const mutationsFor = ({ tree, what }: Body): readonly Mutation[] => [
  damaged,
  damaged,
  oddAccept,
  oddType,
  wrongModel,
  ...(tree === undefined ? [] : [token, token, token, token, structure, structure, structure, huge]),
  ...(what === 'csv' ? [csvField, csvField, csvLines] : []),
  ...(what === 'npy' ? [npyHeaderOf, npyHeaderOf] : []),
  ...(what === 'npz' ? [zipLie, zipLie, zipMembers] : []),
  ...(what === 'binary' ? [headerSize, headerSize] : []),
];

const damaged: Mutation = (random, good) => ({
  ...good,
  what: `${good.what}: damaged`,
  bytes: damage(random, good.bytes),
  verdict: 'any',
});

const oddAccept: Mutation = (random, good) => ({
  ...good,
  what: 'accept: odd',
  accept: random.pick([
    'image/png',
    '',
    ' ',
    ',,,',
    ';q=1',
    '*/*;q=0',
    'application/*',
    'text/*',
    'text/csv;q=1.2.3',
    'application/json;q=0, */*',
    'x'.repeat(10_000),
    'a/b,'.repeat(5000),
    'application/x-npy',
    'application/x-npz',
    'text/csv',
    BINARY,
    'application/json\u0000',
    '\ud800',
    'application/json\r\nX-Injected: 1',
  ]),
  verdict: 'right-or-refused',
});

const oddType: Mutation = (random, good) => ({
  ...good,
  what: 'content type: odd',
  contentType: random.pick([
    'image/png',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/csv',
    'application/json',
    'application/x-npy',
    'application/x-npz',
    BINARY,
    `${BINARY};json-header-size=0`,
    ' ',
    ';',
    'application/json;'.repeat(2000),
    'x'.repeat(10_000),
    'application/json\r\nX-Injected: 1',
  ]),
  verdict: 'any',
});

const wrongModel: Mutation = (random, good, subject) => {
  const other = random.pick(SUBJECTS.filter((each) => each !== subject));
  const given = other.give(random);
  const form = random.pick(formsFor(other, given));
  return { ...form(random, other, given), what: `${good.what}: for another model`, verdict: 'any' };
};

const TOKENS: readonly unknown[] = [
  null,
  {},
  [],
  [[1]],
  { a: 1 },
  new Raw('1e999'),
  new Raw('-1e999'),
  new Raw('NaN'),
  new Raw('Infinity'),
  new Raw('01'),
  new Raw('-'),
  new Raw('1e'),
  new Raw('"\n"'),
  new Raw('"\\ud800"'),
  new Raw('undefined'),
  new Raw('/* */ 1'),
  new Raw(`${'9'.repeat(400)}`),
  new Raw(`0.${'1'.repeat(5000)}`),
  'x',
  '',
  'NaN',
  '__proto__',
  'x'.repeat(5000),
  '1\r\n2',
  true,
  false,
  -1,
  1.5,
  1e308,
  65_520,
  2 ** 53,
  '9223372036854775808',
  '00000000000000000001',
];

/** Never an element of a tensor that is numbers. */
const isNoNumber = (token: unknown): boolean =>
  token === null ||
  (token instanceof Raw && !/^[0.9]/.test(token.text)) ||
  ['x', '', '__proto__'].includes(token as string);

const isElement = (place: Place, tree: unknown): boolean =>
  typeof valueAt(tree, place) !== 'object' &&
  !['id', 'name', 'datatype', 'shape', 'parameters'].some((key) => place.includes(key));

const token: Mutation = (random, good, _, given) => {
  const places = placesOf(good.tree);
  const place = random.pick(
    random.chance(0.7) ? places.filter((each) => isElement(each, good.tree)) : places,
  );
  const replacement = random.pick(TOKENS);
  const isNumeric = given.every(({ spec }) => NUMPY_TYPES[spec.type] !== undefined);
  const isWrong = isNumeric && isNoNumber(replacement) && place !== undefined && isElement(place, good.tree);
  return rewritten(
    good,
    `${good.what}: token`,
    replaceAt(good.tree, place ?? [], () => replacement),
    {
      verdict: isWrong ? 'refused' : 'any',
    },
  );
};

const rewritten = (good: Body, what: string, tree: unknown, rest: Partial<Body> = {}): Body => ({
  ...good,
  what,
  tree,
  bytes: Buffer.from(toJson(tree)),
  verdict: 'any',
  ...rest,
});

const structure: Mutation = (random, good) => {
  const place = random.pick(placesOf(good.tree));
  const change = random.pick(STRUCTURES);
  return rewritten(
    good,
    `${good.what}: structure`,
    replaceAt(good.tree, place, (old) => change(random, old)),
  );
};

type Change = (random: Random, old: unknown) => unknown;

const onArrays =
  (change: (random: Random, old: readonly unknown[]) => unknown): Change =>
  (random, old) =>
    Array.isArray(old) ? change(random, old) : [old, old];

const onObjects =
  (change: (random: Random, old: [string, unknown][]) => unknown): Change =>
  (random, old) =>
    typeof old === 'object' && old !== null && !Array.isArray(old)
      ? change(random, Object.entries(old))
      : { x: old };

const brackets = (depth: number, inner: string): Raw =>
  new Raw('['.repeat(depth) + inner + ']'.repeat(depth));

const STRUCTURES: readonly Change[] = [
  onArrays((_, old) => old.slice(1)),
  onArrays((_, old) => [...old, old[0] ?? 0]),
  onArrays((_, old) => [...old, []]),
  onArrays(() => []),
  onArrays((_, old) => old.toReversed()),
  onArrays((_, old) => Object.fromEntries(old.entries())),
  onArrays((random, old) => Array.from({ length: random.integer(2, 3000) }, () => old[0] ?? 0)),
  onArrays((random, old) => old.toSpliced(random.integer(0, old.length), 0, random.pick(TOKENS))),
  onObjects((_, old) => Object.fromEntries(old.slice(1))),
  onObjects((random, old) => Object.fromEntries([...old, [random.pick(KEYS), 1]])),
  onObjects((random, old) => Object.fromEntries(old.map(([, value]) => [random.pick(KEYS), value]))),
  // The same key twice.
  onObjects(
    (random, old) =>
      new Raw(
        `{${[...old, random.pick([...old, ['x', 1]])]
          .map(([key, value]) => `${JSON.stringify(key)}:${toJson(value)}`)
          .join(',')}}`,
      ),
  ),
  onObjects((_, old) => [Object.fromEntries(old)]),
  (_, old) => [old],
  (_, old) => ({ inputs: old }),
  (_, old) => ({ instances: old }),
  (random, old) => brackets(random.pick([2, 50, 3000, 100_000]), toJson(old)),
  (random) => new Raw('{"a":'.repeat(random.pick([2, 50, 3000])) + '1'.padEnd(3, '}')),
];

const KEYS = [
  'x',
  'a',
  'features',
  'inputs',
  'instances',
  'outputs',
  'parameters',
  'id',
  'shape',
  'data',
  'datatype',
  '__proto__',
  'constructor',
  'toString',
  'line\nbreak',
  'k'.repeat(5000),
];

/** Little to send, much to make of it. */
const huge: Mutation = (random, good, subject) => {
  const { name, type } = subject.inputs[0] ?? { name: 'x', type: 'float32' };
  const element = type === 'string' ? '""' : type === 'bool' ? 'true' : '0';
  const wide = random.pick([1000, 100_000]);
  const open = (shape: string, data: string, rest = ''): Raw =>
    new Raw(
      `{"inputs":[{"name":"${name}","datatype":"${OPEN_TYPES[type as 'int32']}","shape":${shape},"data":${data}}]${rest}}`,
    );
  const line = `[${element}${`,${element}`.repeat(wide - 1)}]`;
  const ragged = `[${line}${',[]'.repeat(wide - 1)}]`;
  const trees: readonly Raw[] = [
    new Raw(ragged),
    new Raw(`{"inputs":${ragged}}`),
    open(`[${wide},${wide}]`, ragged),
    open(`[${wide},${wide}]`, line),
    open(`[${'1,'.repeat(wide)}1]`, `[${element}]`),
    open(brackets(wide, '').text, `[${element}]`),
    open(`[2147483647,2147483647]`, `[${element}]`),
    open('[1,1]', `[${element}]`, `,"outputs":[${'{"name":"y"},'.repeat(wide / 10)}{"name":"y"}]`),
    open('[1,1]', `[${element}]`, `,"outputs":[{"name":"${'y'.repeat(wide)}"}]`),
    open('[1,1]', `[${element}]`, `,"id":${JSON.stringify('\n'.repeat(wide))}`),
    new Raw(`{${`"${name}":1,`.repeat(wide)}"${name}":1}`),
    new Raw(`"${'a'.repeat(wide)}"`),
    new Raw('0'.repeat(wide)),
  ];
  return rewritten(good, 'json: huge', random.pick(trees));
};

const csvField: Mutation = (random, good) => {
  const text = good.bytes.toString();
  const at = random.integer(0, text.length);
  const field = random.pick([
    '',
    '"',
    '""',
    'x',
    '1e999',
    'NaN',
    ',',
    '\n',
    '\r',
    '\t',
    '0x1',
    '1,2',
    '\u2028',
    '\0',
  ]);
  return {
    ...good,
    what: 'csv: field',
    bytes: Buffer.from(text.slice(0, at) + field + text.slice(at + random.integer(0, 3))),
    verdict: 'any',
  };
};

const csvLines: Mutation = (random, good) => {
  const text = good.bytes.toString();
  const many = random.pick([10, 1000, 30_000]);
  const body = random.pick([
    `a,b,c\n${text}`,
    `${text}\n\n${text}`,
    ','.repeat(many),
    '\n'.repeat(many),
    `1${',1'.repeat(many)}\n${'1\n'.repeat(many)}`,
    `"${'a'.repeat(many)}`,
    `${',"a'.repeat(many)}`,
    `"${'""'.repeat(many)}`,
    `\ufeff${text}`,
  ]);
  return { ...good, what: 'csv: lines', bytes: Buffer.from(body), verdict: 'any' };
};

const npyHeaderOf: Mutation = (random, good, _, given) => ({
  ...good,
  what: 'npy: header',
  bytes: npy(random, one(given), (header) => ({
    ...header,
    ...random.pick([
      {
        descr: random.pick([
          '|O',
          '<f3',
          '<U0',
          '<U999999999',
          '<M8[ns]',
          '=f4',
          '>b1',
          'f4',
          "x'y",
          '\n',
          '<c8',
        ]),
      },
      { order: random.pick(['1', 'None', 'true', 'True', 'False']) },
      {
        shape: random.pick([
          '()',
          '(0,)',
          '(0, 3)',
          '(-1, 3)',
          '(1e3,)',
          '(3)',
          `(${'9'.repeat(400)},)`,
          `(${'1, '.repeat(64)})`,
          `(${'1, '.repeat(1000)})`,
          '(9007199254740991, 9007199254740991)',
          '((1, 2), 3)',
        ]),
      },
      { version: random.pick([0, 2, 4, 255]) },
      { shape: '(1,)}'.padEnd(random.pick([100, 20_000])) },
    ]),
  })),
  verdict: 'any',
});

const zipLie: Mutation = (random, good, _, given) => {
  const field = random.pick(['crc', 'packed', 'size', 'offset', 'count', 'directory', 'start']);
  const value = random.pick([0, 1, 0x7fffffff, 0xffffffff, 0xffff, 100_000_000]);
  const isRelative = random.chance(0.3);
  return {
    ...good,
    what: 'npz: lie',
    bytes: zip(members(random, given), (name, truth) =>
      name !== field ? truth : isRelative ? truth + 1 : value,
    ),
    verdict: 'right-or-refused',
  };
};

const zipMembers: Mutation = (random, good, _, given) => {
  const good2 = members(random, given);
  const extra = {
    name: random.pick(['../x.npy', '/etc/passwd', '', 'x', 'x.npy', '__proto__.npy', '\n'.repeat(3)]),
    content: Buffer.from('x'),
    deflated: false,
  };
  const bomb = {
    name: good2[0]?.name ?? 'x.npy',
    content: Buffer.alloc(random.pick([1e6, 8e6, 70e6])),
    deflated: true,
  };
  const list = random.pick([[], [...good2, extra], [...good2, ...good2], [bomb], [extra], [...good2, bomb]]);
  return { ...good, what: 'npz: members', bytes: zip(list), verdict: 'refused' };
};

const headerSize: Mutation = (random, good) => ({
  ...good,
  what: 'binary: header size',
  contentType: `${BINARY};json-header-size=${random.pick(['0', '1', '-1', '1.5', 'x', '1e9', '0x10', 'NaN', '', '99999999', String(good.bytes.length), '9'.repeat(5000)])}`,
  verdict: 'any',
});
