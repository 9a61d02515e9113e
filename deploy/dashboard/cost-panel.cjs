const { apiMetric, expression, functionMetric } = require('./metrics.cjs');

/** Dollars a call, us-east-1: an HTTP API's first 300 million a month, and Lambda's requests. */
const API_REQUEST = 1e-6;
const LAMBDA_REQUEST = 2e-7;
const ROUTER_GB = 0.5; // its memorySize in serverless.yml

/**
 * An estimate from metrics and list prices (lib/scaling/prices.ts). Every call is first taken at on-demand's price, and what workers
 * make cheaper is a line of its own: where there have never been workers, that line has no data, and the others stand without it.
 */
module.exports.costPanel = ({ prefix, groups, scalerNamespace, memoryGb, prices }) => {
  const hidden = (name, id) =>
    groups.map((group, index) =>
      functionMetric(prefix + group, name, { stat: 'Sum', id: `${id}${index}`, visible: false }),
    );
  // Of sums over a period, per hour.
  const perHour = '3600 / PERIOD(router)';
  const seconds = 'SUM(METRICS("busy")) / 1000';
  const onDemand = `${decimal(memoryGb * prices.onDemand)} * ${seconds} + ${decimal(ROUTER_GB * prices.onDemand)} * router / 1000`;
  const onWorkers = 'SUM(METRICS("taken")) / SUM(METRICS("calls"))';
  const cheaper = decimal(memoryGb * (prices.onDemand - prices.provisioned));
  return {
    title: 'Dollars per hour, an estimate: list prices of us-east-1',
    period: 300,
    metrics: [
      apiMetric('Count', { stat: 'Sum', id: 'requests', visible: false }),
      functionMetric(`${prefix}router`, 'Duration', { stat: 'Sum', id: 'router', visible: false }),
      functionMetric(`${prefix}router`, 'Invocations', { stat: 'Sum', id: 'started', visible: false }),
      [scalerNamespace, 'Workers', { stat: 'Average', id: 'ready', visible: false }],
      ...hidden('Duration', 'busy'),
      ...hidden('Invocations', 'calls'),
      ...hidden('ProvisionedConcurrencyInvocations', 'taken'),
      expression(`(${onDemand}) * ${perHour}`, { id: 'time', label: "calls' time, at on-demand's price" }),
      expression(`${decimal(API_REQUEST)} * requests * ${perHour}`, {
        id: 'door',
        label: "HTTP API's requests",
      }),
      expression(`${decimal(LAMBDA_REQUEST)} * (started + SUM(METRICS("calls"))) * ${perHour}`, {
        id: 'each',
        label: "Lambda's requests",
      }),
      expression(`ready * ${decimal(3600 * memoryGb * prices.idle)}`, {
        id: 'kept',
        label: 'workers, kept ready',
      }),
      expression(`-1 * ${cheaper} * ${seconds} * ${onWorkers} * ${perHour}`, {
        id: 'saved',
        label: 'less, for calls that workers took',
      }),
      expression('SUM([time, door, each, kept, saved])', { id: 'total', label: 'together' }),
      [scalerNamespace, 'DollarsPerHour', { stat: 'Average', label: "groups, in the scaler's plan" }],
    ],
    yAxis: { left: { label: '$ per hour', showUnits: false } },
  };
};

/** Metric math's grammar has no exponents that are documented: 2e-7 is 0.0000002. */
const decimal = (value) => value.toFixed(12).replace(/0+$/, '');
