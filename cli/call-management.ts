import { parseModelName } from '../lib/models/model-name.ts';
import { toPathName } from '../lib/protocol/path-name.ts';
import type { Connection } from './connect.ts';
import { Unable } from './unable.ts';

/** What the management API says of a model (`GET /models/{model}`). */
export interface ModelAnswer {
  readonly modelName: string;
  readonly sizeBytes: number;
  readonly lastModified: string;
  readonly etag: string;
  readonly versionId?: string;
  readonly restoredFrom?: string;
  readonly tier: string;
  readonly workers: { readonly min?: number; readonly max?: number };
  readonly pinned?: boolean;
  readonly isolated?: boolean;
  readonly maxIdleSeconds?: number;
  readonly loadMs?: number;
  readonly inputs?: readonly TensorAnswer[];
  readonly outputs?: readonly TensorAnswer[];
  readonly problem?: string;
}

export interface TensorAnswer {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | null)[];
}

/**
 * Asks the endpoint's management API about one model.
 * @throws Unable with the endpoint's own words where it refuses
 */
export const callManagement = async (
  { url, headers }: Connection,
  method: string,
  model: string,
  rest = '',
  body?: object,
): Promise<ModelAnswer> => {
  const path = `/models/${encodeURIComponent(toPathName(parseModelName(model)))}${rest}`;
  return send(`${url()}${path}`, method, headers, body);
};

/** @throws Unable */
export const registerModel = ({ url, headers }: Connection, body: object): Promise<ModelAnswer> =>
  send(`${url()}/models`, 'POST', headers, body);

export interface ModelPage {
  readonly models: readonly Pick<ModelAnswer, 'modelName' | 'sizeBytes' | 'lastModified'>[];
  readonly nextPageToken?: string;
}

/** @throws Unable */
export const listOverHttp = (
  { url, headers }: Pick<Connection, 'url' | 'headers'>,
  prefix: string,
  limit: number,
  token: string | undefined,
): Promise<ModelPage> => {
  const query = new URLSearchParams({
    prefix,
    max_results: String(limit),
    ...(token === undefined ? {} : { next_page_token: token }),
  });
  return send(`${url()}/models?${query}`, 'GET', headers);
};

const send = async <Answer>(
  url: string,
  method: string,
  headers: Connection['headers'],
  body?: object,
): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text || '{}') as Answer;
  throw new Unable(messageOf(text, response.status));
};

const messageOf = (text: string, status: number): string => {
  try {
    const { type, message } = JSON.parse(text) as { readonly type?: string; readonly message?: string };
    return type === undefined ? `status ${status}: ${message}` : `${type}: ${message}`;
  } catch {
    return `status ${status}: ${text.slice(0, 300)}`;
  }
};
