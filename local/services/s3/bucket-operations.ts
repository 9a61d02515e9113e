import { type Operation, xmlAnswer } from './operation.ts';
import { S3Error } from './s3-error.ts';
import { writeXml } from './xml.ts';

const OWNER = { ID: 'local', DisplayName: 'local' };

/** Amazon S3 user guide, "Bucket naming rules". */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const listBuckets: Operation = async ({ store }) => {
  const buckets = [...store.buckets].sort(([a], [b]) => (a < b ? -1 : 1));
  const Bucket = buckets.map(([Name, createdMs]) => ({
    Name,
    CreationDate: new Date(createdMs).toISOString(),
  }));
  return xmlAnswer(writeXml('ListAllMyBucketsResult', { Owner: OWNER, Buckets: { Bucket } }));
};

export const createBucket: Operation = async ({ store, bucket }) => {
  if (!BUCKET_NAME.test(bucket)) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
  if (store.buckets.has(bucket)) {
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
    );
  }
  await store.createBucket(bucket);
  return { status: 200, headers: { location: `/${bucket}` } };
};

export const headBucket: Operation = async ({ store, bucket }) => {
  store.requireBucket(bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
};

export const deleteBucket: Operation = async ({ store, bucket }) => {
  await store.deleteBucket(bucket);
  return { status: 204 };
};

export const getBucketLocation: Operation = async ({ store, bucket }) => {
  store.requireBucket(bucket);
  return xmlAnswer(writeXml('LocationConstraint', ''));
};
