import { hasWish, type ModelRow } from '../../lib/catalog/model-row.ts';
import { encodeState, parseState } from '../../lib/scaling/encode-state.ts';
import type { PlanRow, ScalerStore } from '../../lib/scaling/scaler-store.ts';

export interface MemoryScalerStore extends ScalerStore {
  readonly rows: Map<string, ModelRow>;
}

/** The ScalerStore port in memory; the state goes through its text, as it does outside. */
export const memoryScalerStore = (): MemoryScalerStore => {
  const rows = new Map<string, ModelRow>();
  let text: string | undefined;
  let plan: PlanRow | undefined;
  let lease = { owner: '', untilMs: Number.NEGATIVE_INFINITY };

  return {
    rows,
    takeLease: async (owner, nowMs, untilMs) => {
      if (lease.untilMs > nowMs && lease.owner !== owner) return false;
      lease = { owner, untilMs };
      return true;
    },
    readState: async () => (text === undefined ? undefined : parseState(text)),
    writeState: async (state, expectedEpoch) => {
      if ((text === undefined ? 0 : parseState(text).epoch) !== expectedEpoch) return false;
      text = encodeState(state);
      return true;
    },
    readPlan: async () => plan,
    writePlan: async (next) => {
      plan = JSON.parse(JSON.stringify(next)) as PlanRow;
    },
    readModels: async (models) => models.flatMap((model) => rows.get(model) ?? []),
    listWishes: async () => [...rows.values()].filter(hasWish),
  };
};
