import type { Target } from '../catalog/routes.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';

/** Port. Runs one call on one inference function and waits for its reply. */
export interface Invoker {
  /**
   * @throws Throttled when no environment may take the call now.
   * @throws TargetGone when there is no such function or version, and so nothing has run.
   * @throws ServingError when the function failed as a whole: ModelError for a timeout or lack of memory,
   * ServiceUnavailable when its environment was lost or could not be reached, ValidationError when the call is
   * too large for Lambda.
   */
  invoke(target: Target, call: InferenceCall): Promise<InferenceReply>;
}

/** A deployment has deleted what the routes still name. */
export class TargetGone extends Error {
  override readonly name = 'TargetGone';
}

/**
 * Lambda refused the call. `function`: this function is at its own limit, another may have room.
 * `account`: every function is refused alike, so trying another only adds load.
 */
export class Throttled extends Error {
  override readonly name = 'Throttled';
  readonly scope: 'function' | 'account';
  readonly retryAfterSeconds: number;

  constructor(scope: 'function' | 'account', retryAfterSeconds: number, options?: ErrorOptions) {
    super(`throttled: ${scope}`, options);
    this.scope = scope;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
