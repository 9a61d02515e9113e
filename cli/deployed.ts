import type { Values } from './command.ts';
import { UsageError } from './usage-error.ts';

/** An endpoint of which only the address is known, and an API key (MME_API_KEY). */
export interface Remote {
  readonly endpoint: string;
}

/** A deployment in AWS. */
export interface Deployed {
  readonly stage: string;
  readonly region: string;
  readonly service: string;
  /** Where the caller says so. */
  readonly bucket: string | undefined;
  readonly endpoint: string | undefined;
}

/**
 * Which endpoint is meant: `undefined` is the one on this machine.
 * @throws UsageError for an option that means nothing without --stage
 */
export const deployedOf = (
  { stage, service = 'lambda-mme', bucket, endpoint, region }: Values,
  defaultRegion = 'us-east-1',
): Deployed | Remote | undefined => {
  if (stage !== undefined) {
    return {
      stage,
      service,
      region: region ?? defaultRegion,
      bucket,
      endpoint,
    };
  }
  const alone = Object.entries({ region, bucket }).find(([, value]) => value !== undefined)?.[0];
  if (alone === undefined) return endpoint === undefined ? undefined : { endpoint };
  throw new UsageError(`--${alone} goes with --stage: without it the local endpoint is meant`);
};
