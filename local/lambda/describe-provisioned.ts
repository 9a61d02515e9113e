import type { AllocationStatus } from './allocation.ts';
import { type FunctionConfig, functionArn } from './function-config.ts';
import { invalidParameter } from './lambda-error.ts';
import type { ProvisionedConfig } from './provisioned.ts';

const MAX_ITEMS = 50;

export const describeProvisioned = (status: AllocationStatus, lastModifiedMs: number): object => ({
  RequestedProvisionedConcurrentExecutions: status.requested,
  AvailableProvisionedConcurrentExecutions: status.available,
  AllocatedProvisionedConcurrentExecutions: status.allocated,
  Status: status.status,
  ...(status.statusReason !== undefined && { StatusReason: status.statusReason }),
  // As Lambda writes times: without milliseconds.
  LastModified: new Date(lastModifiedMs).toISOString().replace(/\.\d{3}Z$/, '+0000'),
});

/**
 * One page, in order of the ARNs; the marker is the last qualifier of the page before.
 * @throws LambdaError InvalidParameterValueException for a page of none, or of more than 50.
 */
export const listProvisioned = (
  config: FunctionConfig,
  configs: readonly ProvisionedConfig[],
  page: { readonly maxItems: number | undefined; readonly marker: string | undefined },
): object => {
  const { maxItems = MAX_ITEMS, marker = '' } = page;
  if (!Number.isInteger(maxItems) || maxItems < 1 || maxItems > MAX_ITEMS) {
    throw invalidParameter(`MaxItems should be a whole number from 1 to ${MAX_ITEMS}`);
  }
  const rest = configs
    .filter(({ qualifier }) => qualifier > marker)
    .toSorted((one, other) => (one.qualifier < other.qualifier ? -1 : 1));
  const shown = rest.slice(0, maxItems);
  return {
    ProvisionedConcurrencyConfigs: shown.map(({ qualifier, allocation, lastModifiedMs }) => ({
      FunctionArn: functionArn(config, qualifier),
      ...describeProvisioned(allocation.status, lastModifiedMs),
    })),
    ...(rest.length > shown.length && { NextMarker: shown.at(-1)?.qualifier }),
  };
};
