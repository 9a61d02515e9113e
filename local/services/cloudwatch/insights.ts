import { unsupportedExpression } from './unsupported-expression.ts';

export type InsightsFunction = 'SUM' | 'AVG' | 'MIN' | 'MAX' | 'COUNT';

/** A Metrics Insights query, without what it is written like. */
export interface InsightsQuery {
  readonly select: InsightsFunction;
  readonly name: string;
  readonly namespace: string;
  /** Exactly these dimensions a metric must have. */
  readonly schema: readonly string[];
  readonly where: readonly { readonly dimension: string; readonly value: string }[];
  readonly groupBy: readonly string[];
  readonly orderBy: { readonly by: InsightsFunction; readonly isDescending: boolean } | undefined;
  readonly limit: number | undefined;
}

const TOKEN = /\s*(?:"([^"]+)"|'([^']*)'|([A-Za-z_][\w./#:-]*)|(\d+)|([(),=]))/y;

type Kind = 'name' | 'text' | 'word' | 'number' | 'sign';
interface Token {
  readonly kind: Kind;
  readonly text: string;
}

/** @throws CloudWatchError ValidationError */
export const parseInsights = (expression: string): InsightsQuery => {
  const reader = createReader(expression);
  reader.keyword('SELECT');
  const select = reader.aggregate();
  const name = reader.inParentheses(() => reader.name());
  reader.keyword('FROM');
  reader.keyword('SCHEMA');
  const [namespace = '', ...schema] = reader.inParentheses(() => reader.list(reader.name));
  const where = reader.isNext('WHERE') ? reader.conditions() : [];
  const groupBy = reader.isNext('GROUP', 'BY') ? reader.list(reader.name) : [];
  const orderBy = reader.isNext('ORDER', 'BY') ? reader.order() : undefined;
  const limit = reader.isNext('LIMIT') ? reader.number() : undefined;
  reader.end();
  const query = { select, name, namespace, schema, where, groupBy, orderBy, limit };
  const unknown = [...groupBy, ...where.map(({ dimension }) => dimension)].find((it) => !schema.includes(it));
  if (unknown !== undefined) throw unsupportedExpression(expression, `${unknown} is not in the schema`);
  return query;
};

const createReader = (expression: string) => {
  const tokens = tokenize(expression);
  let at = 0;

  const fail = (expected: string): never => {
    throw unsupportedExpression(
      expression,
      `expected ${expected}, but found ${tokens[at]?.text ?? 'its end'}`,
    );
  };
  const take = (expected: string, ...kinds: readonly Kind[]): string => {
    const token = tokens[at];
    if (token === undefined || !kinds.includes(token.kind)) return fail(expected);
    at++;
    return token.text;
  };
  const isKeyword = (word: string, offset = 0): boolean =>
    tokens[at + offset]?.kind === 'word' && tokens[at + offset]?.text.toUpperCase() === word;
  const isSign = (sign: string): boolean => tokens[at]?.kind === 'sign' && tokens[at]?.text === sign;
  const sign = (text: string): void => {
    if (!isSign(text)) fail(text);
    at++;
  };

  const isNext = (...words: readonly string[]): boolean => {
    const isThere = words.every((word, offset) => isKeyword(word, offset));
    if (isThere) at += words.length;
    return isThere;
  };
  const keyword = (word: string): void => {
    if (!isNext(word)) fail(word);
  };
  const name = (): string => take('a name', 'name', 'word');
  const aggregate = (): InsightsFunction => {
    const found = (['SUM', 'AVG', 'MIN', 'MAX', 'COUNT'] as const).find((each) => isNext(each));
    return found ?? fail('SUM, AVG, MIN, MAX or COUNT');
  };
  const inParentheses = <T>(read: () => T): T => {
    sign('(');
    const value = read();
    sign(')');
    return value;
  };
  const list = <T>(read: () => T): readonly T[] => {
    const values = [read()];
    while (isSign(',')) {
      at++;
      values.push(read());
    }
    return values;
  };
  const condition = () => {
    const dimension = name();
    sign('=');
    return { dimension, value: take("a 'value'", 'text') };
  };

  return {
    isNext,
    keyword,
    name,
    aggregate,
    inParentheses,
    list,
    number: (): number => Number(take('a number', 'number')),
    conditions: () => {
      const conditions = [condition()];
      while (isNext('AND')) conditions.push(condition());
      return conditions;
    },
    order: () => {
      const by = aggregate();
      inParentheses(() => undefined);
      const isDescending = isNext('DESC');
      if (!isDescending) isNext('ASC');
      return { by, isDescending };
    },
    end: (): void => {
      if (at < tokens.length) fail('nothing more');
    },
  };
};

const KINDS: readonly Kind[] = ['name', 'text', 'word', 'number', 'sign'];

const tokenize = (expression: string): readonly Token[] => {
  const text = expression.trimEnd();
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    const group = match?.slice(1).findIndex((each) => each !== undefined) ?? -1;
    const kind = KINDS[group];
    if (match === null || kind === undefined) {
      throw unsupportedExpression(expression, `cannot read ${JSON.stringify(text.slice(start, start + 20))}`);
    }
    tokens.push({ kind, text: match[group + 1] ?? '' });
  }
  return tokens;
};
