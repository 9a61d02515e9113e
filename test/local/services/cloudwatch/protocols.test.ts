import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CloudWatchHarness, datum, startCloudWatch, T0 } from './cloudwatch-harness.ts';

let cloud: CloudWatchHarness;
beforeEach(async () => {
  cloud = await startCloudWatch();
});
afterEach(() => cloud.close());

const answerOf = async (response: Response) => ({
  status: response.status,
  type: response.headers.get('content-type'),
  text: await response.text(),
});

const sendForm = async (form: Record<string, string>) =>
  answerOf(await fetch(cloud.url, { method: 'POST', body: new URLSearchParams(form) }));

const sendJson = (
  operation: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  fetch(cloud.url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `GraniteServiceVersion20100801.${operation}`,
      ...headers,
    },
  });

const PUT = JSON.stringify({ Namespace: 'ns', MetricData: [{ MetricName: 'm', Value: 1 }] });

describe('the Query protocol', () => {
  it('puts, lists and reads metrics', async () => {
    const put = await sendForm({
      Action: 'PutMetricData',
      Version: '2010-08-01',
      Namespace: 'ns',
      'MetricData.member.1.MetricName': 'm',
      'MetricData.member.1.Timestamp': '2026-01-01T00:00:01Z',
      'MetricData.member.1.Dimensions.member.1.Name': 'A',
      'MetricData.member.1.Dimensions.member.1.Value': '<&>',
      'MetricData.member.1.Values.member.1': '1.5',
      'MetricData.member.1.Values.member.2': '2',
    });
    const list = await sendForm({ Action: 'ListMetrics', Namespace: 'ns' });
    const get = await sendForm({
      Action: 'GetMetricData',
      StartTime: '2026-01-01T00:00:00Z',
      EndTime: '2026-01-01T00:01:00Z',
      'MetricDataQueries.member.1.Id': 'a',
      'MetricDataQueries.member.1.MetricStat.Metric.Namespace': 'ns',
      'MetricDataQueries.member.1.MetricStat.Metric.MetricName': 'm',
      'MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name': 'A',
      'MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Value': '<&>',
      'MetricDataQueries.member.1.MetricStat.Period': '60',
      'MetricDataQueries.member.1.MetricStat.Stat': 'Sum',
      'MetricDataQueries.member.1.ReturnData': 'true',
    });

    expect(put).toMatchObject({ status: 200, type: 'text/xml' });
    expect(put.text).toMatch(
      /^<PutMetricDataResponse xmlns="http:\/\/monitoring[^>]+><ResponseMetadata><RequestId>/,
    );
    expect(list.text).toContain(
      '<ListMetricsResult><Metrics><member><Namespace>ns</Namespace><MetricName>m</MetricName><Dimensions><member>' +
        '<Name>A</Name><Value>&#60;&#38;&#62;</Value></member></Dimensions></member></Metrics></ListMetricsResult>',
    );
    expect(get.text).toContain(
      '<MetricDataResults><member><Id>a</Id><Label>m</Label><Timestamps><member>2026-01-01T00:00:00.000Z</member>' +
        '</Timestamps><Values><member>3.5</member></Values><StatusCode>Complete</StatusCode></member>' +
        '</MetricDataResults><Messages></Messages>',
    );
  });

  it('reads more than nine members in their order', async () => {
    const members = Array.from({ length: 12 }, (_, index) => [
      `MetricDataQueries.member.${index + 1}`,
      `a${index + 1}`,
    ]);
    const { text } = await sendForm({
      Action: 'GetMetricData',
      StartTime: '2026-01-01T00:00:00Z',
      EndTime: '2026-01-01T00:01:00Z',
      ...Object.fromEntries(
        members.flatMap(([path, id]) => [
          [`${path}.Id`, id],
          [`${path}.MetricStat.Metric.Namespace`, 'ns'],
          [`${path}.MetricStat.Metric.MetricName`, 'm'],
          [`${path}.MetricStat.Period`, '60'],
          [`${path}.MetricStat.Stat`, 'Sum'],
        ]),
      ),
    });

    expect([...text.matchAll(/<Id>(\w+)<\/Id>/g)].map(([, id]) => id)).toEqual(members.map(([, id]) => id));
  });

  it('is answered in a query string as well', async () => {
    cloud.service.record(datum());

    const response = await fetch(`${cloud.url}/?Action=ListMetrics`);
    expect(await response.text()).toContain('<MetricName>m</MetricName>');
  });

  it.each([
    [{ Action: 'PutMetricData', Namespace: 'ns' }, 'MissingParameter'],
    [{ Action: 'ListMetrics', NextToken: '?' }, 'InvalidNextToken'],
    [{ Action: 'ListMetrics', [Array(20).fill('a').join('.')]: '?' }, 'MalformedInput'],
    [{ Action: 'PutDashboard' }, 'InvalidAction'],
  ])('%j is refused with 400 and %s', async (form, code) => {
    const { status, text } = await sendForm(form);

    expect(status).toBe(400);
    expect(text).toContain(
      `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender`,
    );
    expect(text).toContain(`<Code>${code}</Code>`);
  });
});

describe('the JSON protocol', () => {
  it('has times as seconds, and names errors for both kinds of clients', async () => {
    cloud.service.record(datum());
    const MetricStat = { Metric: { Namespace: 'ns', MetricName: 'm' }, Period: 1, Stat: 'Sum' };
    const range = { StartTime: T0 / 1000, EndTime: T0 / 1000 + 60 };
    const response = await sendJson(
      'GetMetricData',
      JSON.stringify({ ...range, MetricDataQueries: [{ Id: 'a', MetricStat }] }),
    );
    const refused = await sendJson('PutMetricData', '{}');

    expect(await response.json()).toMatchObject({ MetricDataResults: [{ Timestamps: [T0 / 1000] }] });
    expect(refused.headers.get('x-amzn-query-error')).toBe('MissingParameter;Sender');
    expect(await refused.json()).toMatchObject({ __type: 'MissingRequiredParameterException' });
  });

  it('says which operations there are when it has not the one asked for', async () => {
    for (const operation of ['PutDashboard', 'constructor', '']) {
      const response = await sendJson(operation, '{}');

      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        __type: 'UnknownOperationException',
        message: expect.stringContaining('PutMetricData, GetMetricData, ListMetrics'),
      });
    }
  });

  it.each(['', '{', '[]', 'null', '"x"'])('answers the body %j as the client’s mistake', async (body) => {
    const response = await sendJson('PutMetricData', body);

    expect(response.status).toBe(400);
    expect(cloud.errors).toEqual([]);
  });

  it('unzips bodies', async () => {
    const response = await sendJson('PutMetricData', gzipSync(PUT), { 'content-encoding': 'gzip' });

    expect(response.status).toBe(200);
  });

  it('refuses bodies that are too long, that unzip to too much, or that are not gzip', async () => {
    const send = (body: string | Buffer<ArrayBuffer>) =>
      sendJson('PutMetricData', body, { 'content-encoding': 'gzip' });

    expect((await sendJson('PutMetricData', 'x'.repeat(1024 * 1024 + 1))).status).toBe(413);
    expect((await send(gzipSync(Buffer.alloc(17 * 1024 * 1024)))).status).toBe(413);
    expect((await send('not gzip')).status).toBe(400);
    expect(cloud.errors).toEqual([]);
  });
});

describe('another protocol', () => {
  it('is refused with those that are spoken', async () => {
    const path = '/service/GraniteServiceVersion20100801/operation/ListMetrics';
    const response = await fetch(`${cloud.url}${path}`, { method: 'POST', body: new Uint8Array([0xa0]) });

    expect(await response.text()).toContain('awsJson1.0 and AWS Query');
  });
});
