import { S3Client } from '@aws-sdk/client-s3';
import type { EndpointFile } from '../local/endpoint-file.ts';

/** Where an endpoint's models lie. */
export interface ModelBucket {
  readonly s3: S3Client;
  readonly bucket: string;
  /** What their keys begin with. */
  readonly prefix: string;
}

export const localModels = (file: EndpointFile): ModelBucket => {
  const { accessKeyId, secretAccessKey, region, awsEndpointUrl: endpoint, bucket, prefix } = file;
  const credentials = { accessKeyId, secretAccessKey };
  return { s3: new S3Client({ endpoint, region, credentials, forcePathStyle: true }), bucket, prefix };
};

export const deployedModels = ({
  region,
  bucket,
}: {
  readonly region: string;
  readonly bucket: string;
}): ModelBucket => ({
  s3: new S3Client({ region }),
  bucket,
  prefix: 'models/',
});
