import { CloudWatchError } from './cloudwatch-error.ts';

const SUPPORTED = [
  'arithmetic over ids (+ - * / and parentheses) with FILL(id, number) and SUM([id, id])',
  'SELECT SUM|AVG|MIN|MAX|COUNT(metric) FROM SCHEMA("namespace", dimension, ...) [WHERE dimension = \'value\' [AND ...]] [GROUP BY dimension, ...] [ORDER BY SUM() ASC|DESC] [LIMIT n]',
  "SEARCH('{namespace,dimension,...} MetricName=\"metric\"', 'statistic', period)",
].join('; ');

export const unsupportedExpression = (text: string, problem: string): CloudWatchError =>
  new CloudWatchError(
    'ValidationError',
    `Error in expression '${text}': ${problem}. The local CloudWatch has: ${SUPPORTED}.`,
  );
