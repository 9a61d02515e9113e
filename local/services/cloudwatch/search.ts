import { parseStatistic, type Statistic } from './statistic.ts';
import { unsupportedExpression } from './unsupported-expression.ts';

export interface SearchQuery {
  readonly namespace: string;
  /** Exactly these dimensions a metric must have. */
  readonly schema: readonly string[];
  readonly name: string;
  readonly where: readonly { readonly dimension: string; readonly value: string }[];
  readonly statistic: Statistic;
  readonly periodSeconds: number | undefined;
}

const SEARCH = /^\s*SEARCH\s*\(\s*'\s*\{([^}]*)\}([^']*)'\s*,\s*'([^']+)'\s*(?:,\s*(\d+)\s*)?\)\s*$/;
const TERM = /\s*(?:AND\s+)?"?([^\s"=]+)"?\s*=\s*"([^"]*)"\s*/y;

/** `SEARCH('{namespace,dimension} MetricName="name" dimension="value"', 'Sum', 60)`. @throws CloudWatchError ValidationError */
export const parseSearch = (expression: string): SearchQuery => {
  const match = SEARCH.exec(expression);
  if (match === null) throw unsupportedExpression(expression, 'this SEARCH cannot be read');
  const [, scope = '', terms = '', statistic = '', period] = match;
  const [namespace = '', ...schema] = scope.split(',').map((part) => part.trim().replaceAll('"', ''));
  const conditions = parseTerms(terms, expression);
  const name = conditions.find(({ dimension }) => dimension === 'MetricName')?.value;
  if (name === undefined) throw unsupportedExpression(expression, 'MetricName="..." is needed');
  const where = conditions.filter(({ dimension }) => dimension !== 'MetricName');
  const periodSeconds = period === undefined ? undefined : Number(period);
  return { namespace, schema, name, where, statistic: parseStatistic(statistic), periodSeconds };
};

const parseTerms = (terms: string, expression: string) => {
  const conditions: { dimension: string; value: string }[] = [];
  const pattern = new RegExp(TERM);
  while (pattern.lastIndex < terms.length && terms.slice(pattern.lastIndex).trim() !== '') {
    const [match, dimension, value] = pattern.exec(terms) ?? [];
    if (match === undefined || dimension === undefined || value === undefined) {
      throw unsupportedExpression(expression, 'only terms such as MetricName="name" are known');
    }
    conditions.push({ dimension, value });
  }
  return conditions;
};
