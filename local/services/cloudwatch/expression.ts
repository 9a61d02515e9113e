import { CloudWatchError } from './cloudwatch-error.ts';
import { type InsightsQuery, parseInsights } from './insights.ts';
import { type MathNode, parseMath } from './math-expression.ts';
import { parseSearch, type SearchQuery } from './search.ts';

export type Expression =
  | { readonly kind: 'insights'; readonly query: InsightsQuery }
  | { readonly kind: 'search'; readonly query: SearchQuery }
  | { readonly kind: 'math'; readonly root: MathNode };

/** CloudWatch's own limit; it also bounds how deep an expression nests. */
const MAX_CHARACTERS = 2048;

/** @throws CloudWatchError ValidationError that says what is supported. */
export const parseExpression = (text: string): Expression => {
  if (text.length > MAX_CHARACTERS) {
    throw new CloudWatchError('ValidationError', `An expression has at most ${MAX_CHARACTERS} characters.`);
  }
  if (/^\s*SELECT\b/i.test(text)) return { kind: 'insights', query: parseInsights(text) };
  if (/^\s*SEARCH\b/.test(text)) return { kind: 'search', query: parseSearch(text) };
  return { kind: 'math', root: parseMath(text) };
};
