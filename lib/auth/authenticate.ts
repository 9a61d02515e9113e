import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ServingError } from '../errors.ts';
import type { HttpRequest } from '../protocol/http.ts';
import { isKeyId, type KeyRecord, type KeyStore, type Principal } from './key.ts';
import { deriveSecret, hashApiKey, idOfApiKey } from './secrets.ts';
import { checkSignature, parseSignature } from './signature.ts';

export interface AuthenticateOptions {
  readonly keys: KeyStore;
  readonly masterKey: () => Promise<Buffer>;
  /** Names of the services that a signature may be for. */
  readonly services: readonly string[];
  readonly now: Clock;
}

export type Authenticate = (request: HttpRequest) => Promise<Principal>;

/**
 * Says who is calling: by AWS Signature Version 4 over the whole request, as SDKs send it, or by `x-api-key`.
 * @throws ServingError MissingAuthenticationTokenException, UnrecognizedClientException or InvalidSignatureException; none of
 * them tells a key that is revoked from one that never was
 */
export const createAuthenticate = (options: AuthenticateOptions): Authenticate => {
  const { keys, masterKey, services, now } = options;

  const find = async (id: string | undefined): Promise<KeyRecord> => {
    const record = id !== undefined && isKeyId(id) ? await keys.find(id) : undefined;
    if (record === undefined || record.revokedAtMs !== undefined) throw unrecognized();
    return record;
  };

  const bySignature = async (request: HttpRequest, header: string): Promise<KeyRecord> => {
    const signature = parseSignature(header);
    const record = await find(signature.keyId);
    const secret = deriveSecret(await masterKey(), record.id);
    checkSignature(request, signature, { secret, nowMs: now(), services });
    return record;
  };

  const byApiKey = async (apiKey: string): Promise<KeyRecord> => {
    const record = await find(idOfApiKey(apiKey));
    if (!isSame(hashApiKey(apiKey), record.apiKeyHash)) throw unrecognized();
    return record;
  };

  return async (request) => {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    // A signature counts for more: it covers the request.
    if (authorization !== undefined) return toPrincipal(await bySignature(request, authorization));
    if (apiKey !== undefined) return toPrincipal(await byApiKey(apiKey));
    throw new ServingError(
      'MissingAuthenticationTokenException',
      'sign the request (AWS Signature Version 4, service sagemaker, as AWS SDKs do) or send x-api-key; npx mme keys create issues both',
    );
  };
};

const toPrincipal = ({ id, role, models, callsPerMinute }: KeyRecord): Principal => ({
  id,
  role,
  models,
  ...(callsPerMinute === undefined ? {} : { callsPerMinute }),
});

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const unrecognized = (): ServingError =>
  new ServingError(
    'UnrecognizedClientException',
    'the key is not known here, or no longer: ask whoever issued it',
  );
