import { BoundedMap } from '../cache/bounded-map.ts';
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
const PAGE_COSTS = 13;

/** Where pages have spared too little to pay for the next, one is tried. */
const TRY_EVERY_MS = 600_000;

/** What has been spared and not spent pays for so many pages at most, as traffic changes. */
const MOST_SPARED = 4 * PAGE_COSTS;

const MAX_RANGES = 50;
const MAX_TOLD = 10_000;

/** A part of the listing that one page had: names after one, up to another, or to the end. */
interface Range {
  readonly after: string;
  readonly last: string | undefined;
}

/**
 * Asks the store about many models at once, where that spares more questions than it costs: with hundreds of models in use, nearly every call of one that is
 * seldom called would wait for the store otherwise. A model whose ETag is the listing's is as fresh as if it had been asked about; any other is asked about by
 * itself when it is called, as ever. What pages spare is counted, not guessed: the calls at which a model would have been due without them. That pays for the
 * next ones, so all of them cost no more than single questions would have, but for one in ten minutes that is tried.
 */
export class Looks {
  readonly #options: LooksOptions;
  /** Single questions since `#sinceMs`. */
  #asked = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** When each model that pages told of would be due without them. */
  readonly #dueMs = new BoundedMap<number>(MAX_TOLD);
  /** Questions, less what pages have cost. */
  #spared = 0;
  #tryAtMs = Number.NEGATIVE_INFINITY;
  /** No page before: the last could not be had. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** The pages that were read, so that they are read again and not others that overlap them. */
  #ranges: readonly Range[] = [];
  #isLooking = false;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /** A call found its model fresh. */
  noteFresh(name: string): void {
    const dueMs = this.#dueMs.get(name);
    if (dueMs === undefined) return;
    const { now, refreshMs } = this.#options;
    const nowMs = now();
    if (nowMs < dueMs) return;
    this.#dueMs.set(name, nowMs + refreshMs);
    this.#spared = Math.min(MOST_SPARED, this.#spared + 1);
  }

  /** A call found its model due, and asks about it. @returns a page that is asked for beside it; it never rejects */
  noteDue(name: string): Promise<void> | undefined {
    this.#dueMs.delete(name);
    const cost = this.#costOfPage();
    if (cost === undefined) return undefined;
    this.#isLooking = true;
    this.#spared -= cost;
    return this.#readPage(name)
      .catch((error: unknown) => {
        this.#spared += cost;
        this.#pausedUntilMs = this.#options.now() + this.#options.refreshMs;
        this.#options.onError(error);
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }

  /** @returns how much of what was spared it takes; `undefined` where no page may be asked for */
  #costOfPage(): number | undefined {
    const { now, refreshMs } = this.#options;
    const nowMs = now();
    if (nowMs - this.#sinceMs >= refreshMs) {
      this.#asked = 0;
      this.#sinceMs = nowMs;
    }
    this.#asked += 1;
    if (this.#isLooking || nowMs < this.#pausedUntilMs) return undefined;
    if (this.#spared >= PAGE_COSTS) return PAGE_COSTS;
    if (this.#asked < 2 * PAGE_COSTS || nowMs < this.#tryAtMs) return undefined;
    this.#tryAtMs = nowMs + TRY_EVERY_MS;
    return 0;
  }

  async #readPage(name: string): Promise<void> {
    const { store, freshness, etagOf, refreshMs, now } = this.#options;
    this.#asked = 0;
    const askedMs = now();
    const known = this.#ranges.find((range) => isWithin(range, name));
    const after = known?.after ?? (this.#ranges.length === 0 ? '' : justBefore(name));
    const { etags, isLast } = await store.list(after);
    const others = this.#ranges.filter((range) => range !== known);
    const last = isLast ? undefined : ([...etags.keys()].at(-1) ?? after);
    this.#ranges = [...others, { after, last }].slice(-MAX_RANGES);
    for (const [listed, etag] of etags) {
      if (etagOf(listed) !== etag) continue;
      const checkedMs = freshness.checkedMs(listed) ?? Number.NEGATIVE_INFINITY;
      this.#dueMs.set(listed, this.#dueMs.get(listed) ?? checkedMs + refreshMs);
      freshness.note(listed, askedMs);
    }
  }
}

/** Stores order by bytes of UTF-8 and JavaScript by those of UTF-16: where the two differ a page more is read than is needed, and nothing else. */
const isWithin = ({ after, last }: Range, name: string): boolean =>
  after < name && (last === undefined || name <= last);

/** Sorts before a name, with next to nothing between. */
const justBefore = (name: string): string => name.replace(/.$/su, '');
