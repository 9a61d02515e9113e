import { Queues } from '../../../../local/services/sqs/queues.ts';

/** Sends for ever, and says the number of each message once SQS has answered. */
const queues = await Queues.open({ directory: process.argv[2] ?? '', now: Date.now });
await queues.create('work', {});
for (let number = 0; ; number++) {
  await queues.send('work', { body: String(number), attributes: {}, system: {} });
  process.stdout.write(`${number}\n`);
}
