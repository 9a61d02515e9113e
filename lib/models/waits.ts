import { ServingError } from '../errors.ts';

/** Which load waits for which other: workflows open the models they are made of, and must not wait for each other. */
export class Waits {
  readonly #waitsFor = new Map<string, Set<string>>();

  /**
   * Runs `work` while `waiting` counts as waiting for `target`.
   * @throws ServingError ModelError where `target` waits for `waiting` already, or is it.
   */
  async during<T>(waiting: string, target: string, work: () => Promise<T>): Promise<T> {
    const path = this.#findPath(target, waiting);
    if (path !== undefined) {
      throw new ServingError(
        'ModelError',
        `workflows must not need each other: ${[waiting, ...path].join(' -> ')}`,
      );
    }
    const targets = this.#waitsFor.get(waiting) ?? new Set();
    this.#waitsFor.set(waiting, targets.add(target));
    try {
      return await work();
    } finally {
      targets.delete(target);
      if (targets.size === 0) this.#waitsFor.delete(waiting);
    }
  }

  #findPath(from: string, to: string): readonly string[] | undefined {
    if (from === to) return [from];
    for (const next of this.#waitsFor.get(from) ?? []) {
      const path = this.#findPath(next, to);
      if (path !== undefined) return [from, ...path];
    }
    return undefined;
  }
}
