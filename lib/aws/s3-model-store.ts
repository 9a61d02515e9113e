import type { ModelStore, WeightStore } from '../models/model-store.ts';
import { s3JobObjects } from './s3-job-objects.ts';
import { createS3Objects, type S3Objects } from './s3-objects.ts';
import { createS3Put } from './s3-put.ts';
import { createS3Requests } from './s3-requests.ts';
import type { AwsEnvironment } from './signed-requests.ts';

export interface S3ModelStoreOptions {
  readonly objects: S3Objects;
  readonly bucket: string;
  /** Ends with `/`. */
  readonly prefix: string;
}

/** Artifacts as objects of one bucket, below a prefix. */
export const s3ModelStore = ({ objects, bucket, prefix }: S3ModelStoreOptions): ModelStore => ({
  get: (model, knownEtag) => objects.get(bucket, prefix + model, knownEtag),
  async list(after) {
    const { objects: listed, isLast } = await objects.list(bucket, prefix, prefix + after);
    return { etags: new Map(listed.map(({ key, etag }) => [key.slice(prefix.length), etag])), isLast };
  },
});

/** Weights as objects of any bucket that the role may read. */
export const s3WeightStore = (objects: S3Objects): WeightStore => ({
  async list({ bucket, key }) {
    const { objects: found } = await objects.list(bucket, key);
    const folder = key.endsWith('/') ? key : key.slice(0, key.lastIndexOf('/') + 1);
    return found
      .filter((object) => (key.endsWith('/') ? !object.key.endsWith('/') : object.key === key))
      .map((object) => ({
        path: object.key.slice(folder.length),
        sizeBytes: object.sizeBytes,
        async read() {
          const weights = await objects.get(bucket, object.key);
          if (weights === undefined || weights === 'unchanged')
            throw new Error(`${object.key} has gone meanwhile`);
          return weights;
        },
      }));
  },
});

/** Both stores of a worker, over the same connections. */
export const s3Stores = (
  environment: AwsEnvironment,
  config: { readonly bucket: string; readonly prefix: string; readonly weightsPrefixes: readonly string[] },
) => {
  const requests = createS3Requests(environment);
  const objects = createS3Objects(requests);
  return {
    jobObjects: s3JobObjects(objects, createS3Put(requests)),
    store: s3ModelStore({ objects, bucket: config.bucket, prefix: config.prefix }),
    weights: { store: s3WeightStore(objects), allowedPrefixes: config.weightsPrefixes },
  };
};
