/**
 * Sends one kind of load for some seconds, and prints what came of it as JSON. Loopback only.
 * `{model}` in the address is replaced by each call's model, which the header names as well.
 */
import autocannon from 'autocannon';
import { type Pattern, trafficOver } from './traffic.ts';

const [url = '', models = '1', seconds = '5', connections = '32', body = '', pattern = 'even'] =
  process.argv.slice(2);
const { hostname, origin } = new URL(url);
if (hostname !== '127.0.0.1') throw new Error(`this load goes to 127.0.0.1 only, not to ${hostname}`);
const path = url.slice(origin.length);

const names = Array.from({ length: Number(models) }, (_, index) => {
  const name = `diabetes-${String(index + 1).padStart(4, '0')}`;
  return { target: `${name}.tar.gz`, path: path.replace('{model}', name) };
});
const next = trafficOver(names.length, pattern as Pattern);

const result = await autocannon({
  url: origin,
  connections: Number(connections),
  duration: Number(seconds),
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': process.env['API_KEY'] ?? '' },
  body,
  requests: [
    {
      setupRequest: (request) => {
        const model = names[next()];
        return {
          ...request,
          path: model?.path ?? '/',
          headers: { ...request.headers, 'x-amzn-sagemaker-target-model': model?.target ?? '' },
        };
      },
    },
  ],
});

const { latency, requests, non2xx, errors, timeouts } = result;
process.stdout.write(
  `${JSON.stringify({
    perSecond: requests.average,
    p50: latency.p50,
    p99: latency.p99,
    max: latency.max,
    failed: non2xx + errors + timeouts,
  })}\n`,
);
