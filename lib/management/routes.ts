import type { z } from 'zod';
import type { Principal } from '../auth/key.ts';
import type { Management } from './management.ts';
import { ManagementError } from './management-error.ts';
import * as schemas from './schemas.ts';

export interface ManagementCall {
  /** Of the path, where it has one. */
  readonly model: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; `undefined` where there is none. */
  readonly body: unknown;
  readonly principal: Principal | undefined;
}

/** One thing that the management API does: all that its handling and its description need. */
export interface ManagementRoute {
  /** As in serverless.yml. */
  readonly key: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly status: 200 | 201 | 204;
  readonly answer?: z.ZodType;
  /** The model that it is about, as far as it is known before anything is done. */
  readonly about: (call: ManagementCall) => string | undefined;
  readonly run: (management: Management, call: ManagementCall) => Promise<object | undefined>;
}

const ofPath = ({ model }: ManagementCall): string => model;

export const MANAGEMENT_ROUTES: readonly ManagementRoute[] = [
  {
    key: 'GET /models',
    summary: 'Lists models, a page at a time, in the order of their names',
    query: schemas.listQuery,
    status: 200,
    answer: schemas.modelList,
    about: () => undefined,
    run: (management, { query, principal }) => management.list(parse(schemas.listQuery, query), principal),
  },
  {
    key: 'POST /models',
    summary: 'Adds a model: copies an artifact, or takes one that is there, with bounds where they are given',
    body: schemas.registration,
    status: 201,
    answer: schemas.description,
    about: ({ body }) => {
      const name = (body as { readonly model_name?: unknown } | null | undefined)?.model_name;
      return typeof name === 'string' ? name : undefined;
    },
    run: (management, { body, principal }) =>
      management.register(parse(schemas.registration, body), principal),
  },
  {
    key: 'GET /models/{model}',
    summary: 'Says what a model is, where it is served, and what is wrong with it',
    query: schemas.describeQuery,
    status: 200,
    answer: schemas.description,
    about: ofPath,
    run: (management, { model, query }) =>
      management.describe(model, parse(schemas.describeQuery, query).open === 'true'),
  },
  {
    key: 'PUT /models/{model}',
    summary: 'Sets bounds and places; what is not named stays, null takes back',
    body: schemas.settings,
    status: 200,
    answer: schemas.description,
    about: ofPath,
    run: (management, { model, body }) => management.change(model, parse(schemas.settings, body)),
  },
  {
    key: 'DELETE /models/{model}',
    summary:
      'Deletes a model and what was said of it; where the bucket is versioned, a rollback brings it back',
    status: 204,
    about: ofPath,
    run: async (management, { model }) => {
      await management.remove(model);
      return undefined;
    },
  },
  {
    key: 'POST /models/{model}/preload',
    summary: 'Opens a model on a worker of its group, before anybody calls it',
    status: 200,
    answer: schemas.description,
    about: ofPath,
    run: (management, { model }) => management.preload(model),
  },
  {
    key: 'POST /models/{model}/rollback',
    summary: 'Brings back the version of the object before this one',
    status: 200,
    answer: schemas.description,
    about: ofPath,
    run: (management, { model }) => management.rollback(model),
  },
];

/** @throws ManagementError naming the member, what was expected and what came */
const parse = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> => {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the request' : issue.path.join('.');
  throw new ManagementError(400, 'ValidationException', `${where}: ${issue?.message ?? 'not as expected'}`);
};
