import { randomBytes } from 'node:crypto';
import { GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { inputFolderOf } from '../lib/auth/authorize.ts';
import type { Role } from '../lib/auth/key.ts';
import { issueKey } from '../lib/auth/secrets.ts';
import type { Connection } from './connect.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { Unable } from './unable.ts';

interface CreateKey {
  readonly models: readonly string[];
  readonly role: Role;
  readonly callsPerMinute: number | undefined;
  readonly note: string | undefined;
}

/** Issues a key. What is printed is told once: the secret is derived anew from its id, and of the API key only a hash is kept. */
export const issue = async (
  { models, role, callsPerMinute, note }: CreateKey,
  { keys, ssm, masterKeyName, bucket }: Connection,
  output: Output,
): Promise<void> => {
  const issued = issueKey(await masterKey(ssm, masterKeyName), randomBytes);
  const { id, apiKeyHash, secretAccessKey, apiKey } = issued;
  const createdAtMs = Date.now();
  await keys.put({
    id,
    models,
    role,
    apiKeyHash,
    createdAtMs,
    ...(callsPerMinute === undefined ? {} : { callsPerMinute }),
    ...(note === undefined ? {} : { note }),
  });
  const text = [
    `aws_access_key_id     = ${id}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    `x-api-key             = ${apiKey}`,
    `may ${role} ${models.join(', ')}${callsPerMinute === undefined ? '' : `, ${callsPerMinute} calls a minute`}; this is the only time that it is told`,
    ...(models.includes('*')
      ? []
      : [`inputs of asynchronous calls belong below s3://${bucket}/${inputFolderOf({ id, role, models })}`]),
  ];
  output.answer(text.join('\n'), { accessKeyId: id, secretAccessKey, apiKey, models, role });
};

export const showKeys = async ({ keys }: Connection, output: Output): Promise<void> => {
  const records = await keys.list();
  const rows = records.map(({ id, role, models, callsPerMinute, createdAtMs, revokedAtMs, note = '' }) => [
    id,
    role,
    models.join(', '),
    callsPerMinute === undefined ? '' : String(callsPerMinute),
    new Date(createdAtMs).toISOString(),
    revokedAtMs === undefined ? 'valid' : `revoked ${new Date(revokedAtMs).toISOString()}`,
    note,
  ]);
  const lines = table(['id', 'role', 'models', 'calls/min', 'created', 'state', 'note'], rows);
  const shown = records.map(({ apiKeyHash: _, ...record }) => record);
  output.answer(records.length === 0 ? 'no keys: npx mme keys create' : lines.join('\n'), { keys: shown });
};

export const revoke = async (
  { id }: { readonly id: string },
  { keys }: Connection,
  output: Output,
): Promise<void> => {
  if (!(await keys.revoke(id, Date.now()))) {
    throw new Unable(`there is no key ${id}: npx mme keys ls has those that there are`);
  }
  output.answer(`${id} is revoked; routers refuse it within seconds`, { id, revoked: true });
};

const BYTES = 32;

/** The deployment's own: made with the first key, and never changed by this, as all secrets hang on it. */
const masterKey = async (ssm: SSMClient, Name: string): Promise<Buffer> => {
  const read = async (): Promise<Buffer | undefined> => {
    try {
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
      return Buffer.from(Parameter?.Value ?? '', 'base64');
    } catch (error) {
      if ((error as Error).name === 'ParameterNotFound') return undefined;
      throw error;
    }
  };
  const found = await read();
  if (found !== undefined) return found;
  const Value = randomBytes(BYTES).toString('base64');
  await ssm
    .send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: false }))
    .catch((error: unknown) => {
      // Somebody else was making the first key at the same time.
      if ((error as Error).name !== 'ParameterAlreadyExists') throw error;
    });
  const made = await read();
  if (made === undefined) throw new Unable(`the parameter ${Name} cannot be read`);
  return made;
};
