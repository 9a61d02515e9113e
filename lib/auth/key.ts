/** What a key may do: call models, or manage them as well. */
export type Role = 'invoke' | 'manage';

/** A key that the deployment has issued. Its secret is in no row: it is derived from the id (see `deriveSecret`). */
export interface KeyRecord {
  /** As AWS's access key ids look: 20 capitals and digits. */
  readonly id: string;
  /** Models that it may call: `*` is any run of characters, slashes too, and `?` any one (as in IAM's StringLike). */
  readonly models: readonly string[];
  readonly role: Role;
  /** SHA-256 of the API key, in hex. */
  readonly apiKeyHash: string;
  readonly createdAtMs: number;
  readonly revokedAtMs?: number;
  /** At most so many calls a minute; absent: as many as there are workers for. */
  readonly callsPerMinute?: number;
  /** Of whoever made it, for people. */
  readonly note?: string;
}

/** Who is calling. */
export interface Principal {
  readonly id: string;
  readonly role: Role;
  readonly models: readonly string[];
  readonly callsPerMinute?: number;
}

/** Port. The keys, by id. */
export interface KeyStore {
  find(id: string): Promise<KeyRecord | undefined>;
}

const ID = /^MME[A-Z2-7]{17}$/;

/** What is no id of ours need not be looked up. */
export const isKeyId = (text: string): boolean => ID.test(text);
