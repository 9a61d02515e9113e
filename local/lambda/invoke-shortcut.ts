import { EventEmitter } from 'node:events';
import type { ClientRequest, RequestOptions } from 'node:http';
import { Readable } from 'node:stream';
import type { InvokedMessage, RuntimeMessage } from './messages.ts';

const INVOKE = /^\/2015-03-31\/functions\/([^/?%]+)\/invocations\?Qualifier=([\w$-]+)$/;

const OTHERWISE: ReadonlySet<string> = new Set([
  'x-amz-invocation-type',
  'x-amz-log-type',
  'x-amz-client-context',
]);

/**
 * Lambda's Invoke, as a function asks for it over HTTP, by a message to the process that serves it: half of the way of a call between two
 * functions is otherwise HTTP on one machine. Everything that a caller of `http.request` sees stays; whatever is not exactly that request goes its
 * usual way.
 */
export const installInvokeShortcut = (
  endpoint: URL,
  send: (message: RuntimeMessage, payload: string) => void,
): ((answer: InvokedMessage, body: string) => void) => {
  const http = process.getBuiltinModule('node:http');
  const request = http.request.bind(http);
  const waiting = new Map<number, ShortRequest>();
  let ids = 0;

  const shortcut = (...args: Parameters<typeof request>): ClientRequest => {
    const [options] = args;
    const match =
      (args as readonly unknown[]).length === 1 ? matchInvoke(options as RequestOptions, endpoint) : null;
    if (match === null) return request(...args);
    const [, functionName = '', qualifier = ''] = match;
    const id = ++ids;
    const short = new ShortRequest(
      (payload) => {
        waiting.set(id, short);
        send({ kind: 'invoke', id, functionName, qualifier }, payload);
      },
      () => waiting.delete(id),
    );
    return short as unknown as ClientRequest;
  };
  http.request = shortcut as typeof http.request;

  return (answer, body) => {
    const short = waiting.get(answer.id);
    waiting.delete(answer.id);
    short?.answer(answer, body);
  };
};

const matchInvoke = (options: RequestOptions, endpoint: URL): RegExpExecArray | null => {
  if (options === null || typeof options !== 'object' || options instanceof URL) return null;
  // Another type of invocation, a log, a client's context: none of ours, and all in headers.
  const isPlain = Object.keys(options.headers ?? {}).every((name) => !OTHERWISE.has(name.toLowerCase()));
  if (!isPlain) return null;
  const isThere = options.host === endpoint.hostname && String(options.port) === endpoint.port;
  return isThere && options.method === 'POST' && typeof options.path === 'string'
    ? INVOKE.exec(options.path)
    : null;
};

/**
 * Looks like http.ClientRequest to whoever sends one request with it. No stream, which would be a tenth of what a router does for a call
 * (docs/performance.md).
 */
class ShortRequest extends EventEmitter {
  readonly reusedSocket = false;
  readonly protocol = 'http:';
  destroyed = false;
  readonly #ask: (payload: string) => void;
  readonly #forget: () => void;
  readonly #chunks: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(ask: (payload: string) => void, forget: () => void) {
    super();
    this.#ask = ask;
    this.#forget = forget;
    process.nextTick(connect, this);
  }

  setTimeout(ms: number): this {
    clearTimeout(this.#timer);
    this.#timer = ms > 0 ? setTimeout(() => this.emit('timeout'), ms) : undefined;
    return this;
  }

  write(chunk: string | Uint8Array): boolean {
    this.#chunks.push(Buffer.from(chunk as string));
    return true;
  }

  end(chunk?: string | Uint8Array): this {
    if (chunk !== undefined) this.write(chunk);
    if (!this.destroyed) this.#ask(Buffer.concat(this.#chunks).toString());
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    clearTimeout(this.#timer);
    this.#forget();
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  answer({ status, headers }: InvokedMessage, body: string): void {
    clearTimeout(this.#timer);
    if (!this.destroyed) this.emit('response', new ShortResponse(status, headers, Buffer.from(body)));
  }
}

const connect = (request: ShortRequest): void => {
  request.emit('socket', { connecting: false });
};

/** Looks like http.IncomingMessage whose body has come whole; as a stream only to those who ask for one. */
class ShortResponse extends EventEmitter {
  readonly statusCode: number;
  readonly headers: InvokedMessage['headers'];
  destroyed = false;
  readableEnded = false;
  readonly #body: Buffer;
  #encoding: BufferEncoding | undefined;
  #isFlowing = false;

  constructor(statusCode: number, headers: InvokedMessage['headers'], body: Buffer) {
    super();
    this.statusCode = statusCode;
    this.headers = headers;
    this.#body = body;
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void);
    return event === 'data' ? this.resume() : this;
  }

  resume(): this {
    if (!this.#isFlowing) process.nextTick(flow, this);
    this.#isFlowing = true;
    return this;
  }

  setEncoding(encoding: BufferEncoding): this {
    this.#encoding = encoding;
    return this;
  }

  flow(): void {
    if (this.destroyed) return;
    const body = this.#encoding === undefined ? this.#body : this.#body.toString(this.#encoding);
    if (body.length > 0) this.emit('data', body);
    if (this.destroyed) return;
    this.readableEnded = true;
    this.emit('end');
    this.emit('close');
  }

  destroy(error?: Error): this {
    if (this.destroyed || this.readableEnded) return this;
    this.destroyed = true;
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  pipe<To extends NodeJS.WritableStream>(to: To): To {
    return Readable.from([this.#body]).pipe(to);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return Readable.from([this.#body])[Symbol.asyncIterator]();
  }
}

const flow = (response: ShortResponse): void => response.flow();
