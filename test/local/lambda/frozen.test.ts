import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startLambda } from './lambda-harness.ts';

let harness: Harness;
afterEach(() => harness.close());

const invoke = async (functionName: string, event: object = {}): Promise<unknown> => {
  const { payload } = await harness.lambda.invoke({ functionName, payload: JSON.stringify(event) });
  return JSON.parse(payload);
};

describe('an environment between two events', () => {
  it('stands still: what a function has left behind goes on with the next event', async () => {
    harness = await startLambda({
      functions: {
        f: {
          source: `let fired = 0;
            export const handler = async ({ leave, wait }) => {
              const atStart = fired;
              if (leave) setTimeout(() => { fired++; }, 50);
              if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
              return { atStart, atEnd: fired };
            }`,
        },
        pause: { source: 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 150));' },
      },
    });

    // What the first call leaves to be compiled takes its time.
    await invoke('f', {});
    await invoke('f', { leave: true });
    await invoke('pause');

    expect(await invoke('f', { wait: 20 })).toEqual({ atStart: 0, atEnd: 1 });
  });

  it('has let everything out that was printed', async () => {
    const printed: string[] = [];
    harness = await startLambda({
      functions: {
        f: {
          source: `export const handler = async () => {
            process.stdout.write('x'.repeat(3_000_000) + ' end of out');
            process.stderr.write('y'.repeat(3_000_000) + ' end of error');
          }`,
        },
        pause: { source: 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 300));' },
      },
      onOutput: (_, text) => printed.push(text),
    });

    await invoke('f');
    await invoke('pause');

    expect(printed.join('')).toMatch(/^x{3000000} end of out$/);
  });
});
