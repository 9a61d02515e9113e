import { ControlError } from './control-error.ts';

export interface Places {
  readonly bucket: string;
  /** Of the models, ends with `/`. */
  readonly prefix: string;
}

/**
 * The part of a ModelDataUrl that is below the deployment's models: its functions may read nothing else.
 * @throws ControlError naming where models have to be
 */
export const prefixBelowModels = (url: string, { bucket, prefix }: Places): string => {
  const root = `s3://${bucket}/${prefix}`;
  const folder = url.endsWith('/') ? url : `${url}/`;
  const below = folder.slice(root.length);
  const isBelow = folder.startsWith(root) && !/(^|\/)\.{0,2}\//.test(below) && !/[\p{Cc}]/u.test(below);
  if (isBelow) return below;
  throw new ControlError(
    `ModelDataUrl should be ${root} or a prefix below it, whose models this deployment may read, but is ${JSON.stringify(url)}: copy the artifacts there (aws s3 sync)`,
  );
};

/**
 * Where answers of asynchronous calls go: in the deployment's bucket, and not among its models.
 * @throws ControlError
 */
export const asyncOutputOf = (url: string, { bucket, prefix }: Places): string => {
  const root = `s3://${bucket}/`;
  const folder = url.endsWith('/') ? url : `${url}/`;
  if (folder.startsWith(root) && folder.startsWith('async/', root.length)) return folder;
  throw new ControlError(
    `S3OutputPath should be ${root}async/ or a prefix below it, apart from the models (${root}${prefix}), but is ${JSON.stringify(url)}`,
  );
};
