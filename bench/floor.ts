/** The floor: one node:http process with a session per model in a Map, and nothing else. Prints its port. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [modelFile = '', count = '1000'] = process.argv.slice(2);
const bytes = readFileSync(modelFile);
const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' } as const;

const first = await InferenceSession.create(bytes, options);
const [input = ''] = first.inputNames;
const [output = ''] = first.outputNames;
const beforeBytes = process.memoryUsage.rss();
const startedMs = performance.now();
const sessions = new Map<string, InferenceSession>();
for (let index = 1; index <= Number(count); index++) {
  sessions.set(
    `diabetes-${String(index).padStart(4, '0')}.tar.gz`,
    await InferenceSession.create(bytes, options),
  );
}
const createMs = (performance.now() - startedMs) / Number(count);
const perModelBytes = (process.memoryUsage.rss() - beforeBytes) / Number(count);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const session = sessions.get(String(request.headers['x-amzn-sagemaker-target-model']));
    if (session === undefined) return void response.writeHead(400).end();
    const { instances } = JSON.parse(Buffer.concat(chunks).toString()) as { instances: number[][] };
    const data = Float32Array.from(instances.flat());
    const answers = await session.run({ [input]: new Tensor('float32', data, [instances.length, 10]) });
    const predictions = Array.from(answers[output]?.data as Float32Array);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ predictions }));
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, createMs, perModelBytes })}\n`);
});
