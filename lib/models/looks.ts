import type { Clock } from '../clock.ts';
import type { Freshness } from './freshness.ts';
import type { ModelStore } from './model-store.ts';

export interface LooksOptions {
  readonly store: Pick<ModelStore, 'list'>;
  readonly freshness: Pick<Freshness, 'note' | 'checkedMs'>;
  /** The ETag that an open model was loaded with. */
  readonly etagOf: (name: string) => string | undefined;
  readonly refreshMs: number;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** What S3 asks for a page of a listing it asks for 12.5 questions about single objects ($5 and $0.40 a million, us-east-1). */
const WORTH_A_PAGE = 13;

/** A page that spared too little is not tried again before. */
const AGAIN_AFTER_MS = 600_000;

/**
 * Asks the store about many models at once, where that spares more questions than it costs: with hundreds of models in use, nearly every call of one that is
 * seldom called would wait for the store otherwise. A model whose ETag is the listing's is as fresh as if it had been asked about; any other is asked about by
 * itself when it is called, as ever. What a page spares is counted, not guessed: models that were called when only the page kept them from being due. So all pages
 * together cost no more than the questions that they spared, but for one in ten minutes that is tried.
 */
export class Looks {
  readonly #options: LooksOptions;
  /** Single questions since `#sinceMs`. */
  #asked = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** What the last page told of, and has spared no question yet; with the time at which it had been asked about before. */
  #told = new Map<string, number>();
  #spared = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** As far as is known, one page has all models of the store. */
  #isOnePage = true;
  #isLooking = false;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /** A call found its model fresh. */
  noteFresh(name: string): void {
    const beforeMs = this.#told.get(name);
    if (beforeMs === undefined || this.#options.now() - beforeMs < this.#options.refreshMs) return;
    this.#told.delete(name);
    this.#spared += 1;
  }

  /** A call found its model due, and asks about it. @returns a page that is asked for beside it; it never rejects */
  noteDue(name: string): Promise<void> | undefined {
    if (!this.#isWorthAPage()) return undefined;
    this.#isLooking = true;
    return this.#readPage(name)
      .catch(this.#options.onError)
      .finally(() => {
        this.#isLooking = false;
      });
  }

  #isWorthAPage(): boolean {
    const { now, refreshMs } = this.#options;
    const nowMs = now();
    if (nowMs - this.#sinceMs >= refreshMs) {
      this.#asked = 0;
      this.#sinceMs = nowMs;
    }
    this.#asked += 1;
    if (this.#isLooking) return false;
    return this.#spared >= WORTH_A_PAGE || (this.#asked >= 2 * WORTH_A_PAGE && nowMs >= this.#notBeforeMs);
  }

  async #readPage(name: string): Promise<void> {
    const { store, freshness, etagOf, now } = this.#options;
    this.#asked = 0;
    this.#spared = 0;
    this.#told = new Map();
    const askedMs = now();
    this.#notBeforeMs = askedMs + AGAIN_AFTER_MS;
    const { etags, isLast } = await store.list(this.#isOnePage ? '' : justBefore(name));
    this.#isOnePage &&= isLast;
    for (const [listed, etag] of etags) {
      if (etagOf(listed) !== etag) continue;
      this.#told.set(listed, freshness.checkedMs(listed) ?? Number.NEGATIVE_INFINITY);
      freshness.note(listed, askedMs);
    }
  }
}

/** Sorts before a name, with next to nothing between. */
const justBefore = (name: string): string => name.replace(/.$/su, '');
