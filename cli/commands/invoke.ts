import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { parseModelName } from '../../lib/models/model-name.ts';
import { toPathName } from '../../lib/protocol/path-name.ts';
import { type CommandSpec, option } from '../command.ts';
import type { Connection } from '../connect.ts';
import type { Output } from '../output.ts';
import { Unable } from '../unable.ts';

interface InvokeCommand {
  readonly model: string;
  /** Text, `@file`, or nothing: standard input. */
  readonly body: string | undefined;
  readonly contentType: string;
  readonly accept: string | undefined;
}

export const invoke: CommandSpec = {
  name: 'invoke',
  summary: 'call a model',
  args: [
    ['<model>', 'its name'],
    ['[body]', 'text, or @FILE; standard input when absent'],
  ],
  options: [
    option('--content-type <type>', 'of the body').default('application/json'),
    option('--accept <type>', 'of the answer'),
  ],
  example: `invoke tenant-7/churn.tar.gz '{"instances": [[1, 2, 3]]}'`,
  run: ([model = '', body], { contentType, accept }, { connection, output }) =>
    callModel({ model, body, contentType, accept }, connection, output),
};

/** Calls a model as a SageMaker client would. @throws Unable with the endpoint's own words where it refuses */
const callModel = async (
  { model, body, contentType, accept }: InvokeCommand,
  { url, endpointName, headers }: Connection,
  output: Output,
): Promise<void> => {
  const startedMs = performance.now();
  // The address alone does not say what SageMaker's clients call the endpoint.
  const path =
    endpointName === undefined
      ? `/predictions/${encodeURIComponent(toPathName(parseModelName(model)))}`
      : `/endpoints/${endpointName}/invocations`;
  const response = await fetch(url() + path, {
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
