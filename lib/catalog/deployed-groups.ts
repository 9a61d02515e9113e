import type { Target } from './routes.ts';

/** The groups that the deployment created: `functions/groups.cjs` names them, this is its other half. */
export interface DeployedGroups {
  readonly cold: readonly string[];
  readonly hot: readonly string[];
  functionName(group: string): string;
  /** Cold groups are called through the alias that deployments move. */
  coldTarget(group: string): Target;
}

/** @param functionPrefix what comes before a group's name in its function's name, e.g. `lambda-mme-dev-` */
export const deployedGroups = (options: {
  readonly functionPrefix: string;
  readonly coldShards: number;
  readonly hotSlots: number;
}): DeployedGroups => {
  const functionName = (group: string): string => options.functionPrefix + group;
  return {
    cold: numbered('cold', options.coldShards),
    hot: numbered('hot', options.hotSlots),
    functionName,
    coldTarget: (group) => ({ functionName: functionName(group), qualifier: 'live' }),
  };
};

const numbered = (tier: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${tier}-${String(index).padStart(2, '0')}`);
