import type { Decision } from './decision.ts';
import type { ScalerState } from './state.ts';

/** What one part of a tick makes of the state, and what it has to say about that. */
export interface Step {
  readonly state: ScalerState;
  readonly decisions: readonly Decision[];
}
