import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { parseModelName } from '../../lib/models/model-name.ts';
import { type Connection, Unable } from '../connect.ts';
import type { Output } from '../output.ts';

/** Deletes a model's object. Workers that have it open go on serving it for `refreshSeconds` (a minute). */
export const rm = async (
  { model }: { readonly model: string },
  { s3, bucket, prefix }: Connection,
  output: Output,
): Promise<void> => {
  const object = { Bucket: bucket, Key: prefix + parseModelName(model) };
  await s3.send(new HeadObjectCommand(object)).catch((error: unknown) => {
    if ((error as Error).name !== 'NotFound') throw error;
    throw new Unable(`there is no model ${model}: npx mme ls has those that there are`);
  });
  await s3.send(new DeleteObjectCommand(object));
  output.answer(`${model} is deleted; workers that have it open let go of it within a minute`, {
    model,
    deleted: true,
  });
};
