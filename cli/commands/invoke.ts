import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type Connection, Unable } from '../connect.ts';
import type { Output } from '../output.ts';

export interface InvokeCommand {
  readonly model: string;
  /** Text, `@file`, or nothing: standard input. */
  readonly body: string | undefined;
  readonly contentType: string;
  readonly accept: string | undefined;
}

/** Calls a model as a SageMaker client would. @throws Unable with the endpoint's own words where it refuses */
export const invoke = async (
  { model, body, contentType, accept }: InvokeCommand,
  { url, endpointName, headers }: Connection,
  output: Output,
): Promise<void> => {
  const startedMs = performance.now();
  const response = await fetch(`${url()}/endpoints/${endpointName}/invocations`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': contentType,
      'x-amzn-sagemaker-target-model': model,
      ...(accept === undefined ? {} : { accept }),
    },
    body: await readBody(body),
  });
  const text = await response.text();
  const tookMs = Math.round(performance.now() - startedMs);
  if (!response.ok) {
    const kind = response.headers.get('x-amzn-errortype') ?? `status ${response.status}`;
    throw new Unable(`${kind}: ${messageOf(text)}`);
  }
  output.answer(text, { model, contentType: response.headers.get('content-type'), body: text, tookMs });
};

const readBody = async (body: string | undefined): Promise<Buffer<ArrayBuffer>> => {
  if (body === undefined) return Buffer.from(await buffer(process.stdin));
  if (!body.startsWith('@')) return Buffer.from(body);
  return Buffer.from(
    await readFile(body.slice(1)).catch(() => {
      throw new Unable(`the file ${body.slice(1)} cannot be read`);
    }),
  );
};

const messageOf = (text: string): string => {
  try {
    const { Message, message } = JSON.parse(text) as Record<string, unknown>;
    return String(Message ?? message ?? text);
  } catch {
    return text;
  }
};
