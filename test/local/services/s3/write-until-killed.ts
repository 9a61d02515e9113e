import { openS3 } from '../../../../local/services/s3/s3.ts';

/**
 * A process that writes versions into a folder until it is killed, and says on its output each that is done: the
 * folder is its first argument, the round its second.
 */
const [, , directory = '', round = ''] = process.argv;
const { store } = await openS3({ directory, now: Date.now });
await store.createBucket('models');
await store.setVersioning('models', 'Enabled');

const say = (line: readonly string[]): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const writeOn = async (key: string): Promise<never> => {
  for (let number = 0; ; number++) {
    const text = `${round}.${number}`;
    const { versionId = '' } = await store.put('models', key, Buffer.from(text));
    say(['put', key, versionId, text]);
    if (number % 5 === 2) await store.delete('models', key);
    if (number % 3 === 1) {
      say(['removing', key, versionId]);
      await store.delete('models', key, versionId);
      say(['removed', key, versionId]);
    }
  }
};

await Promise.all(['a', 'b', 'c'].map(writeOn));
