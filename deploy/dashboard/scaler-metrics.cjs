/**
 * Metrics out of the line that each tick leaves in the scaler's log (TickReport in functions/scaler/scaler.ts). A metric filter costs
 * nothing, and what it makes is a custom metric. A tick that found another scaler at work says nothing of workers.
 */
const SCALER_METRICS = {
  Workers: { where: '$.outcome = "done" && $.workers >= 0', value: '$.workers' },
  DollarsPerHour: { where: '$.outcome = "done" && $.dollarsPerHour >= 0', value: '$.dollarsPerHour' },
  TicksWithMoves: { where: '$.moves[0].rule = "*"', value: '1', otherwise: 0 },
  TicksWithAlarms: { where: '$.alarms[0].rule = "*"', value: '1', otherwise: 0 },
};

/** Alarms and the dashboard both read them: each brings the same resources, of which one remains. */
module.exports.scalerMetricFilters = ({ scalerNamespace }) =>
  Object.fromEntries(
    Object.entries(SCALER_METRICS).map(([MetricName, { where, value, otherwise }]) => [
      `Scaler${MetricName}MetricFilter`,
      {
        Type: 'AWS::Logs::MetricFilter',
        Properties: {
          LogGroupName: { Ref: 'ScalerLogGroup' },
          FilterPattern: `{ $.message = "tick" && ${where} }`,
          MetricTransformations: [
            {
              MetricName,
              MetricNamespace: scalerNamespace,
              MetricValue: value,
              ...(otherwise === undefined ? {} : { DefaultValue: otherwise }),
            },
          ],
        },
      },
    ]),
  );
