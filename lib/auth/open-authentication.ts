import { cachedLookup } from '../cache/cached-lookup.ts';
import type { Clock } from '../clock.ts';
import { orUnavailable } from '../errors.ts';
import { type Authenticate, createAuthenticate } from './authenticate.ts';
import type { KeyStore } from './key.ts';
import { createRateLimit, type Permits, type RateLimit } from './rate-limit.ts';

export interface OpenAuthenticationOptions {
  /** `keys`: callers need a key of this deployment. `iam`: API Gateway asks IAM before we are asked. `none`: anybody may call. */
  readonly authentication: Authentication;
  readonly keys: KeyStore;
  readonly permits: Permits;
  readonly masterKey: () => Promise<Buffer>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

export const AUTHENTICATION = ['keys', 'iam', 'none'] as const;
export type Authentication = (typeof AUTHENTICATION)[number];

/** A key that is revoked is refused after this. */
const TTL_MS = 5000;

/** While the table does not answer, known keys are taken for so long. */
const OUTAGE_MS = 300_000;

const MAX_KEYS = 10_000;

const UNCHECKED = 'who is calling cannot be checked at the moment; try again';

/** How callers are known, or nothing where the deployment has turned that off. */
export const openAuthentication = (
  options: OpenAuthenticationOptions,
): { readonly authenticate?: Authenticate; readonly rateLimit?: RateLimit } => {
  const { authentication, keys, masterKey, now } = options;
  if (authentication !== 'keys') return {};
  const find = cachedLookup({
    ...options,
    find: orUnavailable(keys.find, UNCHECKED),
    ttlMs: TTL_MS,
    outageMs: OUTAGE_MS,
    maxEntries: MAX_KEYS,
  });
  return {
    authenticate: createAuthenticate({
      keys: { find },
      masterKey: orUnavailable(masterKey, UNCHECKED),
      services: ['sagemaker'],
      now,
    }),
    rateLimit: createRateLimit(options),
  };
};
