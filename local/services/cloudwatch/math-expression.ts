import { unsupportedExpression } from './unsupported-expression.ts';

export type Operator = '+' | '-' | '*' | '/';

export type MathNode =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'id'; readonly id: string }
  | {
      readonly kind: 'binary';
      readonly operator: Operator;
      readonly left: MathNode;
      readonly right: MathNode;
    }
  | { readonly kind: 'fill'; readonly of: MathNode; readonly value: number }
  | { readonly kind: 'sum'; readonly of: readonly MathNode[] };

const TOKEN = /\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z]\w*|[-+*/(),[\]])/y;

/** Parentheses in parentheses; far from what overflows a stack. */
const MAX_DEPTH = 100;

/** @throws CloudWatchError ValidationError */
export const parseMath = (expression: string): MathNode => {
  const tokens = tokenize(expression);
  let at = 0;
  let depth = 0;

  const fail = (expected: string): never => {
    throw unsupportedExpression(expression, `expected ${expected}, but found ${tokens[at] ?? 'its end'}`);
  };
  const skip = (text: string): boolean => {
    const isThere = tokens[at] === text;
    if (isThere) at++;
    return isThere;
  };
  const expect = (text: string): void => {
    if (!skip(text)) fail(text);
  };

  const readChain = (operators: readonly Operator[], readPart: () => MathNode): MathNode => {
    let left = readPart();
    for (;;) {
      const operator = operators.find(skip);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: readPart() };
    }
  };
  const readSum = (): MathNode => {
    if (++depth > MAX_DEPTH) fail('less nesting');
    const node = readChain(['+', '-'], readProduct);
    depth--;
    return node;
  };
  const readProduct = (): MathNode => readChain(['*', '/'], readPart);

  const readPart = (): MathNode => {
    if (skip('-'))
      return { kind: 'binary', operator: '-', left: { kind: 'number', value: 0 }, right: readPart() };
    if (skip('(')) {
      const inner = readSum();
      expect(')');
      return inner;
    }
    const token = tokens[at] ?? fail('a value');
    at++;
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (/^[a-z]\w*$/.test(token)) return { kind: 'id', id: token };
    if (token === 'FILL') return readFill();
    if (token === 'SUM') return readSumOf();
    at--;
    return fail('an id, a number, FILL or SUM');
  };

  const readFill = (): MathNode => {
    expect('(');
    const of = readSum();
    expect(',');
    const factor = skip('-') ? -1 : 1;
    const value = tokens[at] ?? '';
    if (!/^\d/.test(value)) fail('a number');
    at++;
    expect(')');
    return { kind: 'fill', of, value: factor * Number(value) };
  };

  const readSumOf = (): MathNode => {
    expect('(');
    const isList = skip('[');
    const of = [readSum()];
    while (isList && skip(',')) of.push(readSum());
    if (isList) expect(']');
    expect(')');
    return { kind: 'sum', of };
  };

  const root = readSum();
  if (at < tokens.length) fail('nothing more');
  return root;
};

const tokenize = (expression: string): readonly string[] => {
  const text = expression.trimEnd();
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const token = pattern.exec(text)?.[1];
    if (token === undefined) throw unsupportedExpression(expression, `cannot read ${text.slice(start)}`);
    tokens.push(token);
  }
  return tokens;
};
