import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApiEvent, toEvent } from '../../../local/http-api/event.ts';
import { readBody } from '../../../local/read-body.ts';

/** A server that answers with the event it would pass to a function. */
let server: Server;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = (await readBody(request, 1000)) ?? Buffer.alloc(0);
    const event = toEvent({
      request,
      body,
      routeKey: 'POST /x/{id}',
      pathParameters: { id: '1' },
      requestId: 'request-1',
      nowMs: 0,
    });
    response.end(JSON.stringify(event));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string | Buffer | string[]>;
  readonly body?: Buffer | string;
}

const eventOf = ({ path = '/x/1', headers = {}, body = '' }: Sent): Promise<HttpApiEvent> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const encoded = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        Buffer.isBuffer(value) ? value.toString('latin1') : value,
      ]),
    );
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method: 'POST', headers: encoded },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(JSON.parse(text) as HttpApiEvent));
      },
    );
    request.on('error', reject);
    request.end(body);
  });

describe('toEvent', () => {
  it('has the form of payload format 2.0', async () => {
    const event = await eventOf({ path: '/x/1?a=1&a=2&b=%20', headers: { 'X-Some': 'Value' }, body: 'x' });

    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'POST /x/{id}',
      rawPath: '/x/1',
      rawQueryString: 'a=1&a=2&b=%20',
      queryStringParameters: { a: '1,2', b: ' ' },
      pathParameters: { id: '1' },
      headers: { 'x-some': 'Value' },
      requestContext: { requestId: 'request-1', stage: '$default', http: { method: 'POST', path: '/x/1' } },
    });
  });

  it.each(['application/json', 'text/csv', 'application/json; charset=utf-8', 'TEXT/CSV'])(
    'passes %s as text',
    async (type) => {
      const event = await eventOf({ headers: { 'content-type': type }, body: '{"é":1}' });

      expect(event).toMatchObject({ body: '{"é":1}', isBase64Encoded: false });
    },
  );

  it.each(['application/x-npy', 'application/octet-stream', 'application/x-www-form-urlencoded'])(
    'passes %s as base64',
    async (type) => {
      const body = Buffer.from([0, 255, 1]);

      const event = await eventOf({ headers: { 'content-type': type }, body });

      expect(event).toMatchObject({ body: body.toString('base64'), isBase64Encoded: true });
    },
  );

  it('has no body where none came', async () => {
    const event = await eventOf({});

    expect(event.isBase64Encoded).toBe(false);
    expect('body' in event).toBe(false);
  });

  it('reads a header as UTF-8 where it is that, as boto3 sends it', async () => {
    const event = await eventOf({ headers: { 'x-model': Buffer.from('münchen/ünï.tar.gz', 'utf8') } });

    expect(event.headers['x-model']).toBe('münchen/ünï.tar.gz');
  });

  it('reads a header as latin1 where it cannot be UTF-8', async () => {
    const event = await eventOf({ headers: { 'x-model': Buffer.from('münchen', 'latin1') } });

    expect(event.headers['x-model']).toBe('münchen');
  });

  it('keeps a byte order mark: it is part of the value', async () => {
    const event = await eventOf({ headers: { 'x-model': Buffer.from('\ufeffa.tar.gz', 'utf8') } });

    expect(event.headers['x-model']).toBe('\ufeffa.tar.gz');
  });

  it.each(['x-model', 'authorization', 'content-type'])(
    'joins %s with commas where it comes twice, as payload format 2.0 does',
    async (name) => {
      const event = await eventOf({ headers: { [name]: ['a', 'b'] } });

      expect(event.headers[name]).toBe('a,b');
    },
  );

  it('takes parameters by the names that every object has', async () => {
    const event = await eventOf({ path: '/x/1?toString=1&constructor=2' });

    expect(event.queryStringParameters).toEqual({ toString: '1', constructor: '2' });
  });
});
