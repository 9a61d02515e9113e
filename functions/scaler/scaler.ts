import type { Catalog } from '../../lib/catalog/catalog.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Applied, apply } from '../../lib/scaling/apply.ts';
import { decide, type Plan } from '../../lib/scaling/decide.ts';
import type { Decision } from '../../lib/scaling/decision.ts';
import type { Fleet } from '../../lib/scaling/fleet.ts';
import type { MetricReader } from '../../lib/scaling/metric-reader.ts';
import type { Observation } from '../../lib/scaling/observation.ts';
import { type MetricNames, observe } from '../../lib/scaling/observe.ts';
import { describePlan } from '../../lib/scaling/plan-row.ts';
import type { Policy } from '../../lib/scaling/policy.ts';
import type { ScalerStore } from '../../lib/scaling/scaler-store.ts';
import { EMPTY_STATE, type ScalerState } from '../../lib/scaling/state.ts';

export interface ScalerDeps {
  readonly catalog: Catalog;
  readonly store: ScalerStore;
  readonly fleet: Fleet;
  readonly metrics: MetricReader;
  readonly metricNames: MetricNames;
  readonly policy: Policy;
  /** Changes with every deployment. */
  readonly deployment: string;
  /** Names this scaler; another that runs at the same time has another name. */
  readonly owner: string;
  readonly now: Clock;
  /** Waits until Lambda's control plane may be asked again. */
  readonly pace: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** The one line that a tick leaves in the log. */
export interface TickReport {
  /** `leased`: another scaler is at work, and this one did nothing. */
  readonly outcome: 'done' | 'outrun' | 'leased';
  readonly epoch: number;
  /** Of the last minute that CloudWatch has settled; absent while it is silent. */
  readonly settled?: string;
  readonly workers: number;
  readonly hotModels: number;
  readonly activeShards: number;
  readonly dollarsPerHour: number;
  readonly calls: number;
  readonly callsLeft: number;
  readonly routes: Applied['routes'];
  /** What changes, and why. What only holds is in the plan's row. */
  readonly moves: readonly Pick<Decision, 'rule' | 'name' | 'action' | 'reason'>[];
  /** What no rule can mend. */
  readonly alarms: readonly Pick<Decision, 'rule' | 'name' | 'action' | 'reason'>[];
}

/** One tick: observe -> decide -> apply. Level-triggered: a tick that dies half-way is finished by the next. */
export const createScaler = (deps: ScalerDeps) => {
  const { store, policy, now, owner } = deps;

  return async (): Promise<TickReport> => {
    const nowMs = now();
    // Shorter than the time between ticks, so that one that died is not waited for.
    const leaseMs = Math.round((LEASE_SHARE * policy.minuteMs) / 60);
    if (!(await store.takeLease(owner, nowMs, nowMs + leaseMs))) return LEASED;

    const state = noteDeployment((await store.readState()) ?? EMPTY_STATE, deps.deployment, nowMs);
    const observation = await observe(state, nowMs, policy, deps);
    const plan = decide(state, observation, policy);
    const applied = await apply(state, plan, observation, policy, deps);
    if (applied.outcome === 'done' && !observation.isIdle) {
      await store.writePlan(describePlan(plan, observation, policy));
    }
    return report(plan, observation, applied, policy);
  };
};

/** Of 60: R0's 55 seconds of a minute. */
const LEASE_SHARE = 55;

const noteDeployment = (state: ScalerState, deployment: string, nowMs: number): ScalerState =>
  state.deployment === deployment ? state : { ...state, deployment, deployedAtMs: nowMs };

const report = (
  plan: Plan,
  observation: Observation,
  { outcome, calls, left, routes }: Applied,
  policy: Policy,
): TickReport => {
  const { groups, activeShards, epoch } = describePlan(plan, observation, policy);
  const { settledMinute } = observation;
  return {
    outcome,
    epoch,
    ...(settledMinute === undefined
      ? {}
      : { settled: new Date(settledMinute * policy.minuteMs).toISOString() }),
    workers: groups.reduce((total, { wanted }) => total + wanted, 0),
    hotModels: [...plan.state.models.values()].filter(({ stage }) => stage === 'hot').length,
    activeShards,
    dollarsPerHour: groups.reduce((total, { dollarsPerHour }) => total + dollarsPerHour, 0),
    calls,
    callsLeft: left,
    routes,
    moves: plan.decisions.filter(({ isMove }) => isMove).map(inShort),
    alarms: plan.decisions.filter(({ action }) => action.startsWith('alarm')).map(inShort),
  };
};

const inShort = ({ rule, name, action, reason }: Decision): TickReport['moves'][number] => ({
  rule,
  name,
  action,
  reason,
});

const LEASED: TickReport = {
  outcome: 'leased',
  epoch: 0,
  workers: 0,
  hotModels: 0,
  activeShards: 0,
  dollarsPerHour: 0,
  calls: 0,
  callsLeft: 0,
  routes: 'kept',
  moves: [],
  alarms: [],
};
