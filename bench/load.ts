/** Sends one kind of load for some seconds, and prints what came of it as JSON. Loopback only. */
import autocannon from 'autocannon';

const [url = '', models = '1', seconds = '5', connections = '32', body = ''] = process.argv.slice(2);
const { hostname } = new URL(url);
if (hostname !== '127.0.0.1') throw new Error(`this load goes to 127.0.0.1 only, not to ${hostname}`);

/** A fixed shuffle, so that neighbours in the list are not neighbours in time on every connection alike. */
const names = Array.from(
  { length: Number(models) },
  (_, index) => `diabetes-${String(index + 1).padStart(4, '0')}.tar.gz`,
);
let state = 1;
for (let index = names.length - 1; index > 0; index--) {
  state = (state * 48_271) % 2_147_483_647;
  const other = state % (index + 1);
  [names[index], names[other]] = [names[other] ?? '', names[index] ?? ''];
}

let next = 0;
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': process.env['API_KEY'] ?? '' },
  body,
  requests: [
    {
      setupRequest: (request) => ({
        ...request,
        headers: { ...request.headers, 'x-amzn-sagemaker-target-model': names[next++ % names.length] ?? '' },
      }),
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
