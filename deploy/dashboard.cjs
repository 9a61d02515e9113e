const { alarmArn, alarmNames } = require('./alarms.cjs');
const { listPanels } = require('./dashboard/panels.cjs');
const { readDeployment } = require('./dashboard/read-deployment.cjs');
const { scalerMetricFilters } = require('./dashboard/scaler-metrics.cjs');

const COLUMNS = 24; // of CloudWatch's grid
const PANEL = { width: 8, height: 6 };
const TOP = { text: 2, alarms: 3 };
// biome-ignore lint/suspicious/noTemplateCurlyInString: of Fn::Sub
const REGION = '${AWS::Region}';

/** One dashboard: docs/operations.md says what each panel shows. $3 a month, beyond the three small ones that an account has free. */
module.exports.resources = async (context) => {
  const deployment = await readDeployment(context);
  if (!deployment.hasDashboard) return { Resources: {} };
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          DashboardName: deployment.prefix.replace(/-$/, ''),
          DashboardBody: { 'Fn::Sub': JSON.stringify(bodyOf(deployment)) },
        },
      },
      ...scalerMetricFilters(deployment),
    },
  };
};

const bodyOf = (deployment) => {
  const top = [textOf(deployment), ...alarmsOf(deployment)];
  const start = Math.max(...top.map(({ y, height }) => y + height));
  return { start: '-PT3H', widgets: [...top, ...listPanels(deployment).map(placed(start))] };
};

const textOf = ({ endpointName }) => ({
  type: 'text',
  x: 0,
  y: 0,
  width: COLUMNS,
  height: TOP.text,
  properties: {
    markdown: `# ${endpointName}\ndocs/operations.md explains the panels. Lambda's metrics come a minute or two late.`,
  },
});

const alarmsOf = (deployment) => {
  if (!deployment.hasAlarms) return [];
  const alarms = alarmNames(deployment).map(alarmArn);
  return [
    {
      type: 'alarm',
      x: 0,
      y: TOP.text,
      width: COLUMNS,
      height: TOP.alarms,
      properties: { title: 'Alarms', alarms },
    },
  ];
};

/** Three in a row. */
const placed = (start) => (properties, index) => {
  const perRow = COLUMNS / PANEL.width;
  return {
    type: 'metric',
    x: PANEL.width * (index % perRow),
    y: start + PANEL.height * Math.floor(index / perRow),
    ...PANEL,
    properties: {
      view: 'timeSeries',
      region: REGION,
      ...properties,
    },
  };
};
