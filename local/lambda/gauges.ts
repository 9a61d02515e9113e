import type { Account } from './account.ts';
import type { Functions } from './functions.ts';
import type { Measure } from './metric-batch.ts';

/** What is true of all functions at this moment. */
export const readGauges = (account: Account, functions: Functions): readonly Measure[] => {
  const { usages, reserved } = account;
  const executing = usages.map(({ functionName, onDemand, provisionedBusy }) =>
    count('ConcurrentExecutions', { FunctionName: functionName }, onDemand + provisionedBusy),
  );
  const unreserved = usages.filter(({ functionName }) => account.reservedOf(functionName) === undefined);
  const claimed =
    sum(unreserved.map(({ onDemand }) => onDemand)) +
    sum(usages.map(({ allocated }) => allocated)) +
    reserved;
  return [
    ...executing,
    count('ConcurrentExecutions', {}, sum(executing.map(({ value }) => value))),
    count('ClaimedAccountConcurrency', {}, claimed),
    ...functions.all.flatMap(({ config, pool }) =>
      pool.provisioned.configs.flatMap(({ version, allocation }) => {
        const dimensions = { FunctionName: config.name, Resource: `${config.name}:${version}` };
        const { busyCount } = allocation;
        const share = busyCount === 0 ? 0 : busyCount / allocation.status.allocated;
        return [
          count('ProvisionedConcurrentExecutions', dimensions, busyCount),
          { name: 'ProvisionedConcurrencyUtilization', unit: 'None', dimensions, value: share },
        ];
      }),
    ),
  ];
};

const count = (name: string, dimensions: Measure['dimensions'], value: number): Measure => ({
  name,
  unit: 'Count',
  dimensions,
  value,
});

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Leaves out what is zero, but for the first time after it was not. */
export const createZeroFilter = () => {
  let nonzero = new Map<string, Measure>();

  return (read: readonly Measure[]): readonly Measure[] => {
    const now = new Map(read.map((gauge) => [keyOf(gauge), gauge]));
    // What belonged to a configuration that was deleted is read no more.
    const fallen = [...nonzero].filter(([key]) => (now.get(key)?.value ?? 0) === 0);
    nonzero = new Map([...now].filter(([, { value }]) => value !== 0));
    return [...nonzero.values(), ...fallen.map(([, gauge]) => ({ ...gauge, value: 0 }))];
  };
};

const keyOf = ({ name, dimensions }: Measure): string => JSON.stringify([name, dimensions]);
