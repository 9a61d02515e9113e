import { BoundedMap } from '../cache/bounded-map.ts';
import type { Fence, Routes } from '../catalog/routes.ts';
import type { Clock } from '../clock.ts';
import { ServingError } from '../errors.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';
import { within } from '../within.ts';

/** Port. What all routers together know of models that take their workers down. */
export interface FenceStore {
  /** @returns how many workers the model has taken down in this window, this one included */
  noteCrash(model: string, window: number): Promise<number>;
  /**
   * Fences a model off, for longer each time.
   * @param past names whose fences are over
   */
  raise(model: string, reason: string, nowMs: number, past: readonly string[]): Promise<Fence>;
}

export interface FencesOptions {
  readonly store: FenceStore;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

type Dispatch = (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;

const WINDOW_MS = 600_000;

/** So many in a window, over all routers ... */
const CRASHES = 3;

/** ... and so large a part of its calls, as this router sees them: who is called much sees workers end that it has not killed. */
const SHARE_OF_CALLS = 0.2;

/** To say so to the others must not keep the caller waiting. */
const NOTE_WITHIN_MS = 500;

const MAX_MODELS = 1000;
const FIRST_FENCE_MS = 30_000;
const LAST_FENCE_MS = 3_600_000;

/** 30 s, 1 min, 2 min ... an hour. @param level 1 for the first fence of a model */
export const fenceMs = (level: number): number => Math.min(LAST_FENCE_MS, FIRST_FENCE_MS * 2 ** (level - 1));

interface Seen {
  readonly window: number;
  calls: number;
  crashes: number;
}

/**
 * Keeps a model that takes its workers down again and again away from them for a growing time: they are its neighbours' too. Only what
 * has taken a worker down is watched, so that the others cost nothing.
 * @throws ServingError ModelError with the reason while a model is fenced off, and what `dispatch` throws
 */
export const withFences = (dispatch: Dispatch, { store, now, onError }: FencesOptions): Dispatch => {
  const watched = new BoundedMap<Seen>(MAX_MODELS);
  /** What this router knows until it reads the routes anew: they have it then, or somebody has lifted it. */
  const own = new BoundedMap<{ readonly fence: Fence; readonly known: Routes }>(MAX_MODELS);

  const check = (routes: Routes, model: string): void => {
    const raised = own.get(model);
    const fence = raised?.known === routes ? raised.fence : routes.fences?.get(model);
    const leftMs = (fence?.untilMs ?? 0) - now();
    if (fence === undefined || leftMs <= 0) return;
    throw new ServingError(
      'ModelError',
      `model ${model} is fenced off until ${new Date(fence.untilMs).toISOString()}, as it has taken down its workers again and again (${fence.reason}): replace its artifact, or send fewer rows after that`,
      { retryAfterSeconds: Math.ceil(leftMs / 1000) },
    );
  };

  const seenOf = (model: string): Seen | undefined => {
    const seen = watched.get(model);
    return seen?.window === Math.floor(now() / WINDOW_MS) ? seen : undefined;
  };

  const noteCrash = async (routes: Routes, model: string, reason: string): Promise<void> => {
    const window = Math.floor(now() / WINDOW_MS);
    const seen = seenOf(model) ?? { window, calls: 1, crashes: 0 };
    seen.crashes += 1;
    watched.set(model, seen);
    const crashes = await store.noteCrash(model, window);
    if (crashes < CRASHES || seen.crashes < SHARE_OF_CALLS * seen.calls) return;
    const past = [...(routes.fences ?? [])].flatMap(([name, { untilMs }]) => (untilMs < now() ? [name] : []));
    own.set(model, { fence: await store.raise(model, reason, now(), past), known: routes });
  };

  return async (routes, call) => {
    const { model } = call;
    check(routes, model);
    const seen = seenOf(model);
    if (seen !== undefined) seen.calls += 1;
    try {
      return await dispatch(routes, call);
    } catch (error) {
      if (error instanceof ServingError && error.isWorkerLost) {
        await within(NOTE_WITHIN_MS, noteCrash(routes, model, error.message).catch(onError));
      }
      throw error;
    }
  };
};
