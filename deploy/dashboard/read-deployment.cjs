const { deployedGroups } = require('../../lib/catalog/deployed-groups.ts');
const { PRICES } = require('../../lib/scaling/prices.ts');

/**
 * What alarms and the dashboard have to know of a deployment, from serverless.yml: names as the functions get them in their
 * environment, so that what is watched is what is emitted. Nothing here needs an account.
 */
module.exports.readDeployment = async ({ resolveVariable }) => {
  const parameter = async (name) => String((await resolveVariable(`param:${name}`)) ?? '');
  const environment = (name) => resolveVariable(`self:provider.environment.${name}`);
  const prefix = await environment('FUNCTION_PREFIX');
  const groups = deployedGroups({
    functionPrefix: prefix,
    coldShards: Number(await parameter('coldShards')),
    hotSlots: Number(await parameter('hotSlots')),
  });
  return {
    prefix,
    groups: [...groups.cold, ...groups.hot],
    endpointName: await environment('ENDPOINT_NAME'),
    /** Of what the functions emit. */
    namespace: await environment('METRICS_NAMESPACE'),
    /** Of what is read out of the scaler's log: its lines name no endpoint, so each deployment has a namespace of its own. */
    scalerNamespace: `${prefix}scaler`,
    memoryGb: Number(await parameter('inferenceMemory')) / 1024,
    prices: PRICES[await resolveVariable('self:provider.architecture')] ?? PRICES.x86_64,
    workerBudget: Number(await parameter('workerBudget')),
    hasAlarms: parseSwitch('alarms', await parameter('alarms')),
    hasDashboard: parseSwitch('dashboard', await parameter('dashboard')),
    alarmEmail: parseEmail(await parameter('alarmEmail')),
  };
};

const parseSwitch = (name, value) => {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error(`parameter ${name} must be true or false, but is ${JSON.stringify(value)}`);
};

const parseEmail = (value) => {
  if (value === '' || /^[^\s@]+@[^\s@]+$/.test(value)) return value;
  throw new Error(
    `parameter alarmEmail must be an e-mail address, or empty for none, but is ${JSON.stringify(value)}`,
  );
};
