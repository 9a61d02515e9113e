import { z } from 'zod';

const workers = z.int().min(0).max(1000);

/** Bounds and places that an owner gives a model; `null` takes one back. */
export const settings = z.strictObject({
  min_workers: workers.nullable().optional().describe('Workers that are kept warm for it, at their price'),
  max_workers: workers.min(1).nullable().optional().describe('Workers that it may have at most'),
  max_idle_seconds: z
    .int()
    .min(60)
    .max(86_400)
    .nullable()
    .optional()
    .describe('How long it may go without a call before it leaves its slot'),
  pinned: z
    .boolean()
    .nullable()
    .optional()
    .describe('Kept in a slot of its own or with others, whatever its traffic'),
  isolated: z.boolean().nullable().optional().describe('Shares its slot with no other model'),
});

export const registration = settings.extend({
  model_name: z
    .string()
    .min(1)
    .max(1024)
    .describe('TargetModel: the key of the object below the models prefix'),
  url: z
    .string()
    .max(2048)
    .optional()
    .describe(
      'An artifact to copy: another model of this endpoint by its name, or s3://bucket/key that this deployment may read. Absent: the object is there already',
    ),
  preload: z.boolean().optional().describe('Opens it on a worker at once'),
});

/** Of a query: text, as all of it is. */
export const listQuery = z.object({
  prefix: z.string().max(1024).default('').describe('Models whose names begin so'),
  max_results: z.coerce
    .number()
    .pipe(z.int().min(1).max(1000))
    .default(100)
    .describe('Models of a page, at most'),
  next_page_token: z.string().max(4096).optional().describe('From the page before'),
});

export const describeQuery = z.object({
  open: z
    .enum(['true', 'false'])
    .default('true')
    .describe(
      'Opens the model on a worker, to say what it takes and gives; false: says what is known without',
    ),
});

const count = z.int().min(0);
const model = z.object({
  modelName: z.string(),
  modelUrl: z.string(),
  sizeBytes: count,
  lastModified: z.iso.datetime(),
  tier: z.enum(['cold', 'hot']),
});
export const modelList = z.object({ models: z.array(model), nextPageToken: z.string().optional() });

const tensor = z.object({ name: z.string(), type: z.string(), shape: z.array(z.int().nullable()) });
export const description = model.extend({
  etag: z.string(),
  versionId: z.string().optional(),
  restoredFrom: z.string().optional().describe('The version of the object that a rollback brought back'),
  group: z.string().optional().describe('The function that serves it'),
  workers: z.object({ ready: count, wanted: count, min: count.optional(), max: count.optional() }),
  pinned: z.boolean().optional(),
  isolated: z.boolean().optional(),
  maxIdleSeconds: count.optional(),
  recentUse: z
    .object({ workersFilled: z.number(), asOf: z.iso.datetime() })
    .optional()
    .describe('Of models with a real share of a worker, in the last minute that the scaler has seen whole'),
  inputs: z.array(tensor).optional(),
  outputs: z.array(tensor).optional(),
  loadMs: z.number().optional(),
  openBytes: z.number().optional().describe('What it takes of memory'),
  problem: z.string().optional().describe('Why it cannot be served, or why an older object still is'),
});

export const error = z.object({ code: z.int(), type: z.string(), message: z.string() });

export type Registration = z.infer<typeof registration>;
export type SettingsBody = z.infer<typeof settings>;
