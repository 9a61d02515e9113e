import type { Catalog, Group } from '../../lib/catalog/catalog.ts';
import type { DeployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { planRoutes } from '../../lib/scaling/plan-routes.ts';

export interface TickReport {
  /** The epoch of the routes after this tick. */
  readonly epoch: number;
  readonly activeColdGroups: number;
  /** `kept`: nothing to change. `outrun`: another scaler wrote first, and the next tick looks again. */
  readonly routes: 'written' | 'kept' | 'outrun';
  readonly groupRowsWritten: number;
}

export interface ScalerDeps {
  readonly catalog: Catalog;
  readonly groups: DeployedGroups;
}

/**
 * One tick: observe -> plan -> apply. It makes the catalog agree with what is deployed: a row for every group,
 * and routes over the cold groups that exist. Level-triggered: a tick that dies half-way is finished by the next.
 */
export const createScaler = ({ catalog, groups }: ScalerDeps) => {
  const keepGroupRows = async (): Promise<number> => {
    const wanted = [...groups.cold.map(group('cold', groups)), ...groups.hot.map(group('hot', groups))];
    const known = await catalog.listGroups(wanted.map(({ name }) => name));
    const missing = wanted.filter(({ name }) => !known.some((row) => row.name === name));
    await Promise.all(missing.map((row) => catalog.putGroup(row)));
    return missing.length;
  };

  return async (): Promise<TickReport> => {
    const groupRowsWritten = await keepGroupRows();

    const current = await catalog.readRoutes();
    const planned = planRoutes(current, groups.cold);
    const written = planned !== undefined && (await catalog.writeRoutes(planned, current?.epoch));

    const routes = (written ? planned : current) ?? { epoch: 0, coldGroups: groups.cold };
    return {
      epoch: routes.epoch,
      activeColdGroups: routes.coldGroups.length,
      routes: planned === undefined ? 'kept' : written ? 'written' : 'outrun',
      groupRowsWritten,
    };
  };
};

const group =
  (tier: Group['tier'], groups: DeployedGroups) =>
  (name: string): Group => ({ name, tier, functionName: groups.functionName(name), workers: 0, models: [] });
