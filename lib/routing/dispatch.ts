import type { Routes, Target } from '../catalog/routes.ts';
import { ServingError } from '../errors.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';
import { type Invoker, TargetGone, Throttled } from './invoker.ts';
import { rankGroups } from './rendezvous.ts';

/** A call tries its model's home and one neighbour: a model spreads when it must, but not over every shard. */
const MAX_SHARDS = 2;

export interface DispatchOptions {
  readonly invoker: Invoker;
  /** The function behind a cold group. */
  readonly coldTarget: (group: string) => Target;
  /** In milliseconds, for durations only. */
  readonly timer: () => number;
}

/** Sends a call to the model's slot, else to its home shard, else to the next; only what has not run at all moves it on. */
export const createDispatch =
  ({ invoker, coldTarget, timer }: DispatchOptions) =>
  async (routes: Routes, call: InferenceCall): Promise<InferenceReply> => {
    const startedMs = timer();
    let refusal: Throttled | TargetGone | undefined;

    for (const target of chooseTargets(routes, call.model, coldTarget)) {
      try {
        return await invoker.invoke(target, withTimeLeft(call, timer() - startedMs));
      } catch (error) {
        if (!(error instanceof Throttled) && !(error instanceof TargetGone)) throw error;
        refusal = error;
        if (error instanceof Throttled && error.scope === 'account') break;
      }
    }

    if (refusal instanceof TargetGone) {
      throw new ServingError('ServiceUnavailable', 'the endpoint is being deployed anew; try again', {
        cause: refusal,
        retryAfterSeconds: 5,
      });
    }
    throw new ServingError('ThrottlingException', 'all workers for this model are busy; try again shortly', {
      cause: refusal,
      retryAfterSeconds: refusal?.retryAfterSeconds ?? 1,
    });
  };

/** A refusal may have taken its time, and the caller waits no longer for it. */
const withTimeLeft = (call: InferenceCall, tookMs: number): InferenceCall =>
  call.remainingMs === undefined || tookMs < 1
    ? call
    : { ...call, remainingMs: Math.max(1, Math.round(call.remainingMs - tookMs)) };

/** Where a model may be served, best first. Pure. */
export const chooseTargets = (
  routes: Routes,
  model: string,
  coldTarget: (group: string) => Target,
): readonly Target[] => {
  const slot = routes.hot.get(model);
  const cold = rankGroups(model, routes.coldGroups).slice(0, MAX_SHARDS).map(coldTarget);
  return slot === undefined ? cold : [slot, ...cold];
};
