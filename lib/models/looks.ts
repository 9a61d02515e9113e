import type { Clock } from '../clock.ts';
import type { Freshness } from './freshness.ts';
import type { ModelStore } from './model-store.ts';

export interface LooksOptions {
  readonly store: Pick<ModelStore, 'list'>;
  readonly freshness: Pick<Freshness, 'note'>;
  /** The ETag that an open model was loaded with. */
  readonly etagOf: (name: string) => string | undefined;
  readonly refreshMs: number;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** What S3 asks for a page of a listing it asks for 12.5 questions about single objects ($5 and $0.40 a million, us-east-1). */
const PAGE_COSTS = 13;

/** Where pages have spared too little to pay for the next, one is tried. */
const TRY_EVERY_MS = 600_000;

/** What has been spared and not spent pays for so many pages at most, as traffic changes. */
const MAX_PAGES_AHEAD = 4;

const MAX_PAGES_KNOWN = 50;
const MAX_TOLD = 10_000;

/** A part of the listing that one page had; it begins after one name, and ends with another. */
interface Range {
  readonly after: string;
  readonly last: string;
}

/**
 * Asks the store about many models at once, where that spares more questions than it costs: with hundreds of models in use, nearly every call of one that is
 * seldom called would wait for the store otherwise. A model whose ETag is the listing's is as fresh as if it had been asked about; any other is asked about by
 * itself when it is called, as ever. What a page spares is counted, not guessed: the models that it told of and that were called then. A page is paid for by what others
 * have spared before, but for one in ten minutes that is tried.
 */
export class Looks {
  readonly #options: LooksOptions;
  /** Single questions since `#sinceMs`. */
  #asked = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** What pages told of, and nobody has called since. */
  readonly #told = new Set<string>();
  /** Questions, less what pages have cost. */
  #spared = 0;
  #tryAtMs = Number.NEGATIVE_INFINITY;
  /** The pages that were read, so that they are read again and not others that overlap them. */
  #ranges: readonly Range[] = [];
  #isLooking = false;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /** A call found its model fresh. */
  noteFresh(name: string): void {
    if (!this.#told.delete(name)) return;
    this.#spared = Math.min(MAX_PAGES_AHEAD * PAGE_COSTS, this.#spared + 1);
  }

  /** A call found its model due, and asks about it. @returns a page that is asked for beside it; it never rejects */
  noteDue(name: string): Promise<void> | undefined {
    if (!this.#mayAskForPage()) return undefined;
    this.#isLooking = true;
    return this.#readPage(name)
      .catch(this.#options.onError)
      .finally(() => {
        this.#isLooking = false;
      });
  }

  #mayAskForPage(): boolean {
    const { now, refreshMs } = this.#options;
    const nowMs = now();
    if (nowMs - this.#sinceMs >= refreshMs) {
      this.#asked = 0;
      this.#sinceMs = nowMs;
    }
    this.#asked += 1;
    if (this.#isLooking) return false;
    if (this.#spared >= PAGE_COSTS) {
      this.#spared -= PAGE_COSTS;
      return true;
    }
    if (this.#asked < 2 * PAGE_COSTS || nowMs < this.#tryAtMs) return false;
    this.#tryAtMs = nowMs + TRY_EVERY_MS;
    return true;
  }

  async #readPage(name: string): Promise<void> {
    const { store, freshness, etagOf, now } = this.#options;
    this.#asked = 0;
    const askedMs = now();
    const known = this.#ranges.find(({ after, last }) => after < name && name <= last);
    const after = known?.after ?? (this.#ranges.length === 0 ? '' : justBefore(name));
    const { etags, isLast } = await store.list(after);
    const last = isLast ? LAST : ([...etags.keys()].at(-1) ?? after);
    const others = this.#ranges.filter((range) => range !== known);
    this.#ranges = [...others, { after, last }].slice(-MAX_PAGES_KNOWN);
    // Models come and go, and a page may tell of some that are never called.
    if (this.#told.size > MAX_TOLD) this.#told.clear();
    for (const [listed, etag] of etags) {
      if (etagOf(listed) !== etag) continue;
      this.#told.add(listed);
      freshness.note(listed, askedMs);
    }
  }
}

/** Sorts before a name, with next to nothing between. */
const justBefore = (name: string): string => name.replace(/.$/su, '');

/** Sorts after every name. */
const LAST = '\u{10ffff}';
