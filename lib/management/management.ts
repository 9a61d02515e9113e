import type { z } from 'zod';
import { authorizeManage, authorizeManageAll } from '../auth/authorize.ts';
import type { Principal } from '../auth/key.ts';
import { matchesAny } from '../auth/model-patterns.ts';
import type { ModelRow } from '../catalog/model-row.ts';
import type { Routes } from '../catalog/routes.ts';
import { parseModelName } from '../models/model-name.ts';
import type { Description } from '../protocol/description.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';
import type { PlanRow } from '../scaling/scaler-store.ts';
import { ManagementError } from './management-error.ts';
import type { ModelHead, ModelObject, ModelObjects, Source } from './model-objects.ts';
import type { ModelRows, Settings } from './model-rows.ts';
import { previousVersion } from './previous-version.ts';
import type * as schemas from './schemas.ts';

export interface ManagementOptions {
  readonly bucket: string;
  /** Of the models, ends with `/`. */
  readonly prefix: string;
  /** `s3://bucket/prefix/` that artifacts may be copied from. */
  readonly sourcePrefixes: readonly string[];
  readonly objects: ModelObjects;
  readonly rows: ModelRows;
  readonly readRoutes: () => Promise<Routes>;
  readonly readPlan: () => Promise<PlanRow | undefined>;
  readonly dispatch: (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;
}

type ModelList = z.infer<typeof schemas.modelList>;
export type ModelDescription = z.infer<typeof schemas.description>;

export interface Management {
  list(query: z.infer<typeof schemas.listQuery>, principal: Principal | undefined): Promise<ModelList>;
  /** @throws ServingError AccessDeniedException when the key may not have what is to be copied */
  register(registration: schemas.Registration, principal: Principal | undefined): Promise<ModelDescription>;
  describe(model: string, isOpened: boolean): Promise<ModelDescription>;
  change(model: string, settings: schemas.SettingsBody): Promise<ModelDescription>;
  preload(model: string): Promise<ModelDescription>;
  rollback(model: string): Promise<ModelDescription>;
  remove(model: string): Promise<void>;
}

/** Models, as their owner sees them: the object in S3 is the truth, and a row holds what was said of it. */
export const createManagement = (options: ManagementOptions): Management => {
  const { bucket, prefix, objects, rows } = options;

  const summary = ({ model, sizeBytes, modifiedAtMs }: ModelObject, routes: Routes) => ({
    modelName: model,
    modelUrl: `s3://${bucket}/${prefix}${model}`,
    sizeBytes,
    lastModified: new Date(modifiedAtMs).toISOString(),
    tier: routes.hot.has(model) ? ('hot' as const) : ('cold' as const),
  });

  const headOf = async (model: string): Promise<ModelHead> => {
    const head = await objects.head(model);
    if (head !== undefined) return head;
    throw new ManagementError(
      404,
      'ModelNotFoundException',
      `model ${JSON.stringify(model)} not found: no object of this name is in s3://${bucket}/${prefix}`,
    );
  };

  const open = async (model: string, head: ModelHead, routes: Routes): Promise<Partial<ModelDescription>> => {
    const call = { operation: 'describe', model, contentType: undefined, accept: undefined } as const;
    const reply = await options.dispatch(routes, { ...call, body: '', isBase64Encoded: false });
    if (!reply.ok) return { problem: `${reply.code}: ${reply.message}` };
    const { inputs, outputs, loadMs, sizeBytes, refused, etag } = JSON.parse(reply.body) as Description;
    const isOlder = etag !== '' && etag !== head.etag;
    return {
      ...(inputs === undefined ? {} : { inputs: inputs.map(copyTensor) }),
      ...(outputs === undefined ? {} : { outputs: outputs.map(copyTensor) }),
      loadMs,
      openBytes: sizeBytes,
      ...(isOlder
        ? {
            problem: `an older object (ETag ${etag}) is served${refused === undefined ? '' : `: ${refused}`}`,
          }
        : {}),
    };
  };

  const describe = async (model: string, isOpened: boolean): Promise<ModelDescription> => {
    const [head, [row], routes, plan] = await Promise.all([
      headOf(model),
      rows.read([model]),
      options.readRoutes(),
      options.readPlan(),
    ]);
    return {
      ...summary(head, routes),
      etag: head.etag,
      ...(head.versionId === undefined ? {} : { versionId: head.versionId }),
      ...(head.restoredFrom === undefined ? {} : { restoredFrom: head.restoredFrom }),
      ...ownersWords(row),
      ...placeOf(model, plan, row),
      ...(isOpened ? await open(model, head, routes) : {}),
    };
  };

  const change = async (model: string, settings: schemas.SettingsBody): Promise<void> => {
    const [row] = await rows.read([model]);
    const { min_workers: least = row?.minWorkers, max_workers: most = row?.maxWorkers } = settings;
    if ((least ?? 0) > (most ?? Number.POSITIVE_INFINITY)) {
      throw new ManagementError(
        400,
        'ValidationException',
        `min_workers would be ${least} and max_workers ${most}: min_workers should be the smaller`,
      );
    }
    await rows.change(model, toSettings(settings));
  };

  /** @throws ManagementError */
  const sourceOf = (url: string): Source => {
    const [, from = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
    if (from === '') return { bucket, key: prefix + parseModelName(url) };
    const allowed = [`s3://${bucket}/${prefix}`, ...options.sourcePrefixes];
    const isAllowed = allowed.some((root) => url.startsWith(root)) && !key.split('/').includes('..');
    if (isAllowed) return { bucket: from, key };
    throw new ManagementError(
      400,
      'ValidationException',
      `url should be a model's name or below ${allowed.join(' or ')}, but is ${JSON.stringify(url)}: upload it, or add its prefix to weightsPrefixes`,
    );
  };

  /** A copy is a way to read: of models by who may manage them, of other places by who may manage all. */
  const authorizeSource = ({ bucket: from, key }: Source, principal: Principal): void => {
    const isModel = from === bucket && key.startsWith(prefix);
    if (isModel) authorizeManage(principal, key.slice(prefix.length));
    else authorizeManageAll(principal, 'a copy from elsewhere');
  };

  return {
    async list({ prefix: below, max_results: limit, next_page_token: token }, principal) {
      const page = { prefix: below, limit, ...(token === undefined ? {} : { token }) };
      const [{ objects: found, token: next }, routes] = await Promise.all([
        objects.list(page),
        options.readRoutes(),
      ]);
      const shown = found.filter(
        ({ model }) => principal === undefined || matchesAny(model, principal.models),
      );
      return {
        models: shown.map((object) => summary(object, routes)),
        ...(next === undefined ? {} : { nextPageToken: next }),
      };
    },

    async register({ model_name, url, preload, ...settings }, principal) {
      const model = parseModelName(model_name);
      if (url !== undefined) {
        const source = sourceOf(url);
        if (principal !== undefined) authorizeSource(source, principal);
        if ((await objects.head(model)) !== undefined) {
          throw new ManagementError(
            409,
            'ModelExistsException',
            `model ${JSON.stringify(model)} exists: delete it first, or upload a new object under its name to replace it`,
          );
        }
        await objects.copy(source, model);
      }
      const head = await headOf(model);
      if (Object.keys(settings).length > 0) await change(head.model, settings);
      return describe(model, preload === true);
    },

    describe,

    async change(model, settings) {
      await headOf(model);
      await change(model, settings);
      return describe(model, false);
    },

    async preload(model) {
      await headOf(model);
      return describe(model, true);
    },

    async rollback(model) {
      const [head, versions] = await Promise.all([objects.head(model), objects.versions(model)]);
      const previous = previousVersion(versions, head?.restoredFrom);
      if (previous === undefined) {
        throw new ManagementError(
          409,
          'NoPreviousVersionException',
          `model ${JSON.stringify(model)} has no version of its object before this one: the bucket keeps none, or there never was one`,
        );
      }
      await objects.copy({ bucket, key: prefix + model, versionId: previous }, model, previous);
      return describe(model, false);
    },

    async remove(model) {
      await headOf(model);
      await objects.remove(model);
      await rows.remove(model);
    },
  };
};

const toSettings = (body: schemas.SettingsBody): Settings => ({
  minWorkers: body.min_workers,
  maxWorkers: body.max_workers,
  maxIdleSeconds: body.max_idle_seconds,
  pinned: body.pinned,
  isolated: body.isolated,
});

const ownersWords = (row: ModelRow | undefined): Partial<ModelDescription> => ({
  ...(row?.pinned === undefined ? {} : { pinned: row.pinned }),
  ...(row?.isolated === undefined ? {} : { isolated: row.isolated }),
  ...(row?.maxIdleSeconds === undefined ? {} : { maxIdleSeconds: row.maxIdleSeconds }),
});

/** Where the scaler has it, as of its last tick; a model that no worker has spoken of is in no plan. */
const placeOf = (
  model: string,
  plan: PlanRow | undefined,
  row: ModelRow | undefined,
): Pick<ModelDescription, 'workers' | 'group' | 'recentUse'> => {
  const planned = plan?.models.find((each) => each.model === model);
  const group = plan?.groups.find((each) => each.group === planned?.group);
  return {
    workers: {
      ready: group?.ready ?? 0,
      wanted: group?.wanted ?? 0,
      ...(row?.minWorkers === undefined ? {} : { min: row.minWorkers }),
      ...(row?.maxWorkers === undefined ? {} : { max: row.maxWorkers }),
    },
    ...(group === undefined ? {} : { group: group.group }),
    ...(plan === undefined || planned === undefined
      ? {}
      : { recentUse: { workersFilled: planned.filled, asOf: new Date(plan.atMs).toISOString() } }),
  };
};

const copyTensor = ({ name, type, shape }: NonNullable<Description['inputs']>[number]) => ({
  name,
  type,
  shape: [...shape],
});
