import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  type ProvisionedConcurrencyConfigListItem,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { type Allocation, ControlPlaneBusy, type Fleet, Refused } from '../scaling/fleet.ts';

/** Deployments move it; the scaler only looks where it points. */
const LIVE = 'live';

/** One attempt: what Lambda does not take now the next tick asks for again. */
export const createFleetClient = (): LambdaClient =>
  new LambdaClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });

/** Lambda's control plane: provisioned concurrency by published version. */
export const lambdaFleet = (client: LambdaClient): Fleet => ({
  async liveVersion(FunctionName) {
    const alias = await client
      .send(new GetAliasCommand({ FunctionName, Name: LIVE }))
      .catch(unlessMissing(undefined));
    return alias?.FunctionVersion;
  },

  async list(FunctionName) {
    const allocations: Allocation[] = [];
    let Marker: string | undefined;
    do {
      const page = await client
        .send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName, Marker }))
        .catch(unlessMissing(undefined));
      allocations.push(...(page?.ProvisionedConcurrencyConfigs ?? []).map(parseAllocation));
      Marker = page?.NextMarker;
    } while (Marker !== undefined && Marker !== '');
    return allocations;
  },

  async put(FunctionName, Qualifier, ProvisionedConcurrentExecutions) {
    await client
      .send(
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName,
          Qualifier,
          ProvisionedConcurrentExecutions,
        }),
      )
      .catch(translate);
  },

  async remove(FunctionName, Qualifier) {
    await client
      .send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
      .catch(unlessMissing(undefined));
  },

  async account() {
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({})).catch(translate);
    const limit = AccountLimit?.ConcurrentExecutions ?? 0;
    return { limit, unreserved: AccountLimit?.UnreservedConcurrentExecutions ?? limit };
  },
});

/** `arn:aws:lambda:region:account:function:name:version` is all that names the version. */
const parseAllocation = (item: ProvisionedConcurrencyConfigListItem): Allocation => ({
  version: item.FunctionArn?.split(':').at(-1) ?? '',
  requested: item.RequestedProvisionedConcurrentExecutions ?? 0,
  available: item.AvailableProvisionedConcurrentExecutions ?? 0,
  status: item.Status ?? 'IN_PROGRESS',
  ...(item.StatusReason === undefined ? {} : { reason: item.StatusReason }),
});

const MISSING = new Set(['ResourceNotFoundException', 'ProvisionedConcurrencyConfigNotFoundException']);
const REFUSED = new Set([
  'InvalidParameterValueException',
  'ResourceConflictException',
  'ResourceNotFoundException',
]);

const translate = (error: unknown): never => {
  const { name = '', message = '' } = error as Partial<Error>;
  if (name === 'TooManyRequestsException') throw new ControlPlaneBusy(message, { cause: error });
  if (REFUSED.has(name)) throw new Refused(`${name}: ${message}`, { cause: error });
  throw error;
};

/** What is not there has no configuration either. */
const unlessMissing =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (MISSING.has((error as Partial<Error>).name ?? '')) return value;
    return translate(error);
  };
