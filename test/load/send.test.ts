import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createSender } from '../../load/send.ts';
import { startTinyServer, type TinyServer } from './tiny-server.ts';

let server: TinyServer;
afterEach(() => server.close());

const start = async (respond?: (model: string, response: ServerResponse) => void) => {
  server = await startTinyServer(respond && (({ model }, response) => respond(model, response)));
  return createSender(new URL(`${server.url}/endpoints/e/invocations`), '{"instances": [["ü"]]}');
};

describe('a call', () => {
  it('is as SageMaker clients make it', async () => {
    const { send } = await start();

    expect(await send('m.tar.gz')).toEqual({ kind: 'success', label: '200' });
    expect(server.received).toEqual([
      {
        path: '/endpoints/e/invocations',
        model: 'm.tar.gz',
        contentType: 'application/json',
        body: '{"instances": [["ü"]]}',
      },
    ]);
  });

  it.each([400, 424, 429, 500, 530])('that is answered %d has failed, with what it says', async (status) => {
    const { send } = await start((_, response) => response.writeHead(status).end('x'.repeat(1000)));

    expect(await send('m')).toEqual({ kind: 'failure', label: String(status), text: 'x'.repeat(300) });
  });

  it('whose connection ends before the answer is lost', async () => {
    const { send } = await start((_, response) => response.destroy());

    expect(await send('m')).toEqual({ kind: 'lost', label: 'ECONNRESET' });
  });

  it('whose connection ends within the answer is lost', async () => {
    const { send } = await start((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
    });

    expect(await send('m')).toEqual({ kind: 'lost', label: 'ECONNRESET' });
  });

  it('is lost when nobody listens', async () => {
    const { send } = await start();
    await server.close();

    expect(await send('m')).toEqual({ kind: 'lost', label: 'ECONNREFUSED' });
  });

  it('in flight is given up when the sender closes', async () => {
    const { send, close } = await start(() => close());

    expect(await send('m')).toEqual({ kind: 'lost', label: 'given up' });
  });
});
