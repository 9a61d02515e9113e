/** Rows of a graph, as CloudWatch's dashboards write metrics: namespace, name, dimensions, and how it is drawn. */

module.exports.functionMetric = (functionName, name, options) => [
  'AWS/Lambda',
  name,
  'FunctionName',
  functionName,
  options,
];

// biome-ignore lint/suspicious/noTemplateCurlyInString: of Fn::Sub
module.exports.apiMetric = (name, options) => ['AWS/ApiGateway', name, 'ApiId', '${HttpApi}', options];

/** @param logicalId of the queue in deploy/storage.yml */
module.exports.queueMetric = (logicalId, name, options) => [
  'AWS/SQS',
  name,
  'QueueName',
  `\${${logicalId}.QueueName}`,
  options,
];

/** What the functions emit. A metric is found by exactly the dimensions that it was emitted with. */
module.exports.ownMetric = ({ namespace, endpointName }, name, dimensions, { group, ...options }) => {
  const values = { EndpointName: endpointName, VariantName: 'AllTraffic', Group: group };
  return [namespace, name, ...dimensions.flatMap((dimension) => [dimension, values[dimension]]), options];
};

module.exports.expression = (text, options) => [{ expression: text, ...options }];

const MAX_SEARCH = 1024; // characters of a search expression (CloudWatch User Guide, search expressions)

/**
 * What Lambda has by version only, and versions come and go: so it is searched for, in as few expressions as hold the names. Names
 * in quotes are matched whole: the stage dev must not show those of dev-2.
 */
module.exports.search = (functionNames, metric, label) => {
  const write = (names) =>
    `SEARCH('{AWS/Lambda,FunctionName,Resource} MetricName="${metric}" FunctionName=(${names.map((name) => `"${name}"`).join(' OR ')})', 'Maximum', 60)`;
  const chunks = [];
  for (const name of functionNames) {
    const last = chunks.at(-1);
    if (last === undefined || write([...last, name]).length > MAX_SEARCH) chunks.push([name]);
    else last.push(name);
  }
  return chunks.map((names, index) => [{ expression: write(names), id: `search${index}`, label }]);
};
