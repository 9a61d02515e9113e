import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startLambda } from './lambda-harness.ts';

let harness: Harness;
afterEach(() => harness.close());

/** Asks another function, and does little with what that says, as a router does. */
const FRONT = `
  const http = process.getBuiltinModule('node:http');
  const { hostname: host, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const path = '/2015-03-31/functions/echo/invocations?Qualifier=live';
  let calls = 0;
  export const handler = (event) => new Promise((resolve, reject) => {
    calls++;
    const out = http.request({ host, port, method: 'POST', path });
    out.once('error', reject);
    out.once('response', (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => {
        if (event.exit) process.exit(3);
        if (event.print) console.log('printed by ' + event.n);
        setTimeout(() => {
          resolve({ said: JSON.parse(text).n, calls, pid: process.pid });
          if (event.throwLater) setImmediate(() => { throw new Error('thrown after the answer'); });
        }, event.late ?? 0);
      });
    });
    out.end(JSON.stringify({ n: event.n }));
  });
`;

const start = async (): Promise<void> => {
  harness = await startLambda({
    isReachable: true,
    functions: {
      front: { source: FRONT, maxEnvironments: 1, forwards: true, environment: { LOCAL_INVOKE: 'message' } },
      echo: { source: 'export const handler = async (event) => event;', maxEnvironments: 1 },
    },
  });
};

const call = async (
  event: {
    readonly n: number;
    readonly exit?: boolean;
    readonly throwLater?: boolean;
    readonly print?: boolean;
    readonly late?: number;
  },
  tail = false,
) => {
  const { payload, functionError, log } = await harness.lambda.invoke({
    functionName: 'front',
    payload: JSON.stringify(event),
    tail,
  });
  return { ...(JSON.parse(payload) as { said?: number; calls?: number; pid?: number }), functionError, log };
};

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe('calls that are handed to an environment before it has answered another', () => {
  it('are run one after the other, each with its own answer', async () => {
    await start();

    const answers = await Promise.all(numbers(40).map((n) => call({ n })));

    expect(answers.map(({ said }) => said)).toEqual(numbers(40));
    expect(answers.map(({ calls }) => calls)).toEqual(numbers(40).map((n) => n + 1));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
    expect(harness.lambda.status()).toMatchObject([{ state: 'idle', invocations: 40 }, { state: 'idle' }]);
  });

  it('are run elsewhere when it ends with the other', async () => {
    await start();
    await Promise.all(numbers(5).map((n) => call({ n })));

    const answers = await Promise.all(numbers(12).map((n) => call({ n, exit: n % 4 === 3 })));

    expect(answers.map(({ said }) => said)).toEqual(numbers(12).map((n) => (n % 4 === 3 ? undefined : n)));
    expect(answers.filter(({ functionError }) => functionError === 'Unhandled')).toHaveLength(3);
  });

  it('are run elsewhere when it ends by what the other has left behind', async () => {
    await start();
    await Promise.all(numbers(5).map((n) => call({ n })));

    const answers = await Promise.all(numbers(12).map((n) => call({ n, throwLater: n % 4 === 3 })));

    expect(answers.map(({ said }) => said)).toEqual(numbers(12));
  });

  it('do not pass one over whose log is asked for', async () => {
    await start();
    await Promise.all(numbers(5).map((n) => call({ n })));
    const order: number[] = [];

    await Promise.all(
      numbers(30).map(async (n) => {
        await call({ n }, n === 10);
        order.push(n);
      }),
    );

    expect(order.indexOf(10)).toBeLessThan(15);
  });

  it('have none but their own log', async () => {
    await start();
    await Promise.all(numbers(5).map((n) => call({ n })));

    const answers = await Promise.all(
      numbers(12).map((n) => call({ n, print: true, late: n === 4 ? 60 : 0 }, n % 3 === 0)),
    );

    for (const [n, { said, log }] of answers.entries()) {
      expect(said).toBe(n);
      if (n % 3 === 0) expect(log?.match(/printed by \d+/g)).toEqual([`printed by ${n}`]);
    }
  });
});
