import {
  CopyObjectCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectVersion,
  S3Client,
} from '@aws-sdk/client-s3';
import { ManagementError } from '../management/management-error.ts';
import type { ModelObjects, ModelVersion, Source } from '../management/model-objects.ts';
import { isModelName } from '../models/model-name.ts';
import { RESTORED_FROM, type S3Place } from './s3-model-head.ts';
import { MAX_KEY_BYTES } from './s3-requests.ts';
import { encodeSegment } from './sign.ts';

/** A model has few versions that anybody goes back to. */
const MAX_VERSIONS = 100;

/** Twice ten seconds are less than a door is open for. */
export const createS3Client = (): S3Client =>
  new S3Client({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });

/** Models as objects below a prefix of one bucket. What is done seldom goes through the SDK. */
export const s3ModelObjects = (
  client: S3Client,
  { bucket, prefix }: S3Place,
  head: ModelObjects['head'],
): ModelObjects => {
  const object = (model: string) => ({ Bucket: bucket, Key: prefix + model });

  return {
    head,

    async list({ prefix: below, limit, token }) {
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix + below,
            MaxKeys: limit,
            ContinuationToken: token,
          }),
        )
        .catch((error: unknown) => {
          if (token === undefined || (error as Error).name !== 'InvalidArgument') throw error;
          throw new ManagementError(
            400,
            'ValidationException',
            'next_page_token is of no page: begin anew without it',
          );
        });
      const objects = (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
        model: Key.slice(prefix.length),
        sizeBytes: Size,
        etag: ETag,
        modifiedAtMs: LastModified?.getTime() ?? 0,
      }));
      return {
        objects: objects.filter(({ model }) => isModelName(model)),
        ...(page.NextContinuationToken === undefined ? {} : { token: page.NextContinuationToken }),
      };
    },

    async copy(from: Source, model, restoredFrom) {
      if (Buffer.byteLength(prefix + model) > MAX_KEY_BYTES) {
        throw new ManagementError(
          400,
          'ValidationException',
          `a model's key may have ${MAX_KEY_BYTES} bytes in S3, of which ${prefix} takes ${prefix.length}: choose a shorter name`,
        );
      }
      const path = [from.bucket, ...from.key.split('/')].map(encodeSegment).join('/');
      const version = from.versionId === undefined ? '' : `?versionId=${encodeURIComponent(from.versionId)}`;
      try {
        await client.send(
          new CopyObjectCommand({
            ...object(model),
            CopySource: path + version,
            MetadataDirective: 'REPLACE',
            Metadata: restoredFrom === undefined ? {} : { [RESTORED_FROM]: restoredFrom },
          }),
        );
      } catch (error) {
        if (!['NoSuchKey', 'NoSuchVersion', 'NotFound', 'NoSuchBucket'].includes((error as Error).name))
          throw error;
        throw new ManagementError(
          404,
          'ModelNotFoundException',
          `there is no object s3://${from.bucket}/${from.key}${version} to copy`,
        );
      }
    },

    async remove(model) {
      await client.send(new DeleteObjectCommand(object(model)));
    },

    async versions(model) {
      const key = prefix + model;
      if (Buffer.byteLength(key) > MAX_KEY_BYTES) return [];
      const page = await client.send(
        new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: MAX_VERSIONS }),
      );
      const of =
        (isDeleted: boolean) =>
        (listed: Pick<ObjectVersion, 'Key' | 'VersionId' | 'LastModified'>): readonly ModelVersion[] =>
          listed.Key === key && listed.VersionId !== undefined
            ? [{ versionId: listed.VersionId, modifiedAtMs: listed.LastModified?.getTime() ?? 0, isDeleted }]
            : [];
      const objects = (page.Versions ?? []).flatMap(of(false));
      const markers = (page.DeleteMarkers ?? []).flatMap(of(true));
      // S3 lists each kind newest first, and has IsLatest for what is on top when two are of one second.
      const latest = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].find(
        ({ Key, IsLatest }) => Key === key && IsLatest,
      )?.VersionId;
      return [...objects, ...markers].toSorted(
        (a, b) =>
          Number(b.versionId === latest) - Number(a.versionId === latest) || b.modifiedAtMs - a.modifiedAtMs,
      );
    },
  };
};
