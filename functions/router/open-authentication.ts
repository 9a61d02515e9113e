import { type Authenticate, createAuthenticate } from '../../lib/auth/authenticate.ts';
import type { KeyStore } from '../../lib/auth/key.ts';
import { createRateLimit, type Permits, type RateLimit } from '../../lib/auth/rate-limit.ts';
import { cachedLookup } from '../../lib/cache/cached-lookup.ts';
import type { Clock } from '../../lib/clock.ts';
import { orUnavailable } from '../../lib/errors.ts';
import type { RouterConfig } from './config.ts';

export interface OpenAuthenticationOptions extends Pick<RouterConfig, 'authentication'> {
  readonly keys: KeyStore;
  readonly permits: Permits;
  readonly masterKey: () => Promise<Buffer>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

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
