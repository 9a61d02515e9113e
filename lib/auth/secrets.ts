import { createHmac, hash } from 'node:crypto';

/** Base32 (RFC 4648): what AWS's own ids are made of. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const ID_LETTERS = 17;
const API_KEY_BYTES = 32;

export interface IssuedKey {
  readonly id: string;
  readonly secretAccessKey: string;
  readonly apiKey: string;
  readonly apiKeyHash: string;
}

/**
 * A new key: all that its owner is ever told, and the hash that is kept.
 * @param random gives that many unpredictable bytes
 */
export const issueKey = (masterKey: Buffer, random: (bytes: number) => Buffer): IssuedKey => {
  const letters = [...random(ID_LETTERS)].map((byte) => ALPHABET[byte % ALPHABET.length]);
  const id = `MME${letters.join('')}`;
  const apiKey = `mme_${id}_${random(API_KEY_BYTES).toString('base64url')}`;
  return { id, secretAccessKey: deriveSecret(masterKey, id), apiKey, apiKeyHash: hashApiKey(apiKey) };
};

/** The secret of a key pair: 40 characters, as AWS's have. Nobody keeps it: whoever has the master key can tell it again. */
export const deriveSecret = (masterKey: Buffer, id: string): string =>
  createHmac('sha256', masterKey).update(`lambda-mme secret ${id}`).digest('base64').slice(0, 40);

export const hashApiKey = (apiKey: string): string => hash('sha256', apiKey);

/** The id in an API key's own text. */
export const idOfApiKey = (apiKey: string): string | undefined =>
  /^mme_(MME[A-Z2-7]{17})_[A-Za-z0-9_-]{43}$/.exec(apiKey)?.[1];
