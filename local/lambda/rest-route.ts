import type { IncomingMessage } from 'node:http';
import { readBody } from '../read-body.ts';
import { LambdaError } from './lambda-error.ts';

/** No call but Invoke has a body that comes near it. */
const MAX_BODY_BYTES = 64 * 1024;

export interface Asked {
  readonly name: string;
  readonly qualifier: string | undefined;
  /** What the path names below the function: an alias. */
  readonly part: string;
  readonly search: URLSearchParams;
  readonly request: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Operation {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: RegExp;
  /** What bounds how often it is called: `control` is one bound for all of these together. */
  readonly rate: 'invoke' | 'get-function' | 'control';
  readonly run: (asked: Asked) => Promise<Answer> | Answer;
}

/** An operation of the control plane. */
export const operation = (
  method: Operation['method'],
  path: RegExp,
  run: Operation['run'],
  rate: Operation['rate'] = 'control',
): Operation => ({ method, path, rate, run });

/** @param version the API's, of which each operation keeps the one that it came with */
export const path = (version: string, below: string): RegExp =>
  new RegExp(`^/${version}/functions/([^/]+)${below}$`);

export const json = (value: object, status = 200): Answer => ({ status, body: JSON.stringify(value) });

export const noContent: Answer = { status: 204, body: '' };

/** @throws LambdaError InvalidRequestContentException where the body is no JSON object. */
export const readObject = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const body = await readBody(request, MAX_BODY_BYTES);
  try {
    const value: unknown = JSON.parse(body?.toString() ?? '');
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // It is refused like any other value that is no object.
  }
  throw new LambdaError('InvalidRequestContentException', 400, 'Could not parse request body into json');
};
