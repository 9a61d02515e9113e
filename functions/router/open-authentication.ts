import { type Authenticate, createAuthenticate } from '../../lib/auth/authenticate.ts';
import type { KeyStore } from '../../lib/auth/key.ts';
import { cachedKeys } from '../../lib/auth/key-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RouterConfig } from './config.ts';

export interface OpenAuthenticationOptions extends Pick<RouterConfig, 'authentication'> {
  readonly keys: KeyStore;
  readonly masterKey: () => Promise<Buffer>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** A key that is revoked is refused after this. */
const TTL_MS = 5000;

/** While the table does not answer, known keys are taken for so long. */
const OUTAGE_MS = 300_000;

/** How callers are known, or nothing where the deployment has turned that off. */
export const openAuthentication = (
  options: OpenAuthenticationOptions,
): { readonly authenticate?: Authenticate } => {
  const { authentication, masterKey, now } = options;
  if (authentication === 'none') return {};
  const keys = cachedKeys({ ...options, ttlMs: TTL_MS, outageMs: OUTAGE_MS });
  return { authenticate: createAuthenticate({ keys, masterKey, services: ['sagemaker'], now }) };
};
