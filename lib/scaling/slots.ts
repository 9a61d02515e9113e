import type { ModelRow } from '../catalog/model-row.ts';

/** A model of which no worker has said how large it is. */
const ASSUMED_BYTES = 50 * 1024 * 1024;

/** From here on a model fills a slot by itself: pooling saves nothing. */
const DEDICATED_AT = 8;

export interface Newcomer {
  readonly model: string;
  readonly row: ModelRow | undefined;
  /** Workers it fills. */
  readonly filled: number;
}

export interface Resident extends Newcomer {
  readonly stage: 'warming' | 'hot' | 'draining';
  readonly isDedicated: boolean;
}

export interface Slot {
  readonly group: string;
  readonly residents: readonly Resident[];
  /** Whether it may take models at all: not while its allocations keep failing. */
  readonly isUsable: boolean;
  /** Whether workers have been asked for: what they load ahead is settled then. */
  readonly isStarted: boolean;
  /** Whether they take calls. */
  readonly isReady: boolean;
}

export type SlotChoice =
  | {
      readonly kind: 'take';
      readonly group: string;
      readonly isDedicated: boolean;
      /** Workers are there already, and load it on their first call. */
      readonly isLazy: boolean;
    }
  | { readonly kind: 'replace'; readonly group: string; readonly leaving: string }
  | { readonly kind: 'none'; readonly why: string };

/**
 * R7. Where a newcomer goes: to the busiest shared slot with room, else to an empty one; into a slot of its own where it is
 * isolated, has a bound of its own, or fills many workers. With none left it takes the place of one at most half as busy.
 */
export const chooseSlot = (
  newcomer: Newcomer,
  slots: readonly Slot[],
  { roomBytes, lazyLoadMs }: { readonly roomBytes: number; readonly lazyLoadMs: number },
): SlotChoice => {
  const isDedicated = needsOwnSlot(newcomer);
  const usable = slots.filter(({ isUsable }) => isUsable);
  const isLazy = loadsLazily(newcomer, lazyLoadMs);
  const fits = ({ residents }: { readonly residents: readonly Resident[] }): boolean =>
    sizeOf(newcomer) + total(residents, sizeOf) <= roomBytes;

  if (!isDedicated) {
    const shared = usable
      .filter((slot) => slot.residents.length > 0 && !slot.residents.some(isAlone) && fits(slot))
      // Workers that have not been asked for yet will load the newcomer with the others.
      .filter((slot) => !slot.isStarted || isLazy)
      .sort((a, b) => total(b.residents, busy) - total(a.residents, busy) || byName(a, b));
    const [busiest] = shared;
    if (busiest !== undefined) {
      return { kind: 'take', group: busiest.group, isDedicated, isLazy: busiest.isReady };
    }
  }

  // Workers that were asked for by those before would not load it ahead.
  const empty = usable
    .filter(({ residents, isStarted }) => residents.length === 0 && !isStarted)
    .sort(byName)[0];
  if (empty !== undefined) return { kind: 'take', group: empty.group, isDedicated, isLazy: false };
  if (usable.some(isBeingEmptied)) return { kind: 'none', why: 'a slot is being emptied: it waits for that' };
  return chooseReplaced(newcomer, usable, isDedicated || !isLazy ? 'whole' : 'part', fits);
};

/** One at a time: what was replaced for it last tick must not be forgotten in this one. */
const isBeingEmptied = ({ residents, isStarted }: Slot): boolean =>
  residents.every(({ stage }) => stage === 'draining') && (residents.length > 0 || isStarted);

/** The least busy model that may go, if its going makes the room that is needed. */
const chooseReplaced = (
  { filled }: Newcomer,
  slots: readonly Slot[],
  needs: 'whole' | 'part',
  fits: (slot: { readonly residents: readonly Resident[] }) => boolean,
): SlotChoice => {
  const [found] = slots
    .flatMap((slot) => slot.residents.map((resident) => ({ slot, resident })))
    .filter(({ resident }) => resident.stage === 'hot' && !isPromised(resident))
    .filter(({ resident }) => resident.filled <= filled / 2)
    .filter(({ slot, resident }) => {
      const others = slot.residents.filter((each) => each !== resident);
      if (others.length === 0) return true;
      return needs === 'part' && !others.some(isAlone) && fits({ residents: others });
    })
    .sort((a, b) => a.resident.filled - b.resident.filled || byName(a.slot, b.slot));
  if (found !== undefined) {
    return { kind: 'replace', group: found.slot.group, leaving: found.resident.model };
  }
  return { kind: 'none', why: 'no slot is free, and no model in one is at most half as busy' };
};

const needsOwnSlot = ({ row, filled }: Newcomer): boolean =>
  row?.isolated === true || row?.maxWorkers !== undefined || filled >= DEDICATED_AT;

const loadsLazily = ({ row }: Newcomer, lazyLoadMs: number): boolean =>
  row?.loadMs !== undefined && row.loadMs <= lazyLoadMs;

const isAlone = ({ isDedicated }: Resident): boolean => isDedicated;
const isPromised = ({ row }: Resident): boolean => row?.pinned === true || (row?.minWorkers ?? 0) > 0;
const sizeOf = ({ row }: Newcomer): number => row?.sizeBytes ?? ASSUMED_BYTES;
const busy = ({ filled }: Resident): number => filled;
const total = (residents: readonly Resident[], measure: (resident: Resident) => number): number =>
  residents.reduce((all, resident) => all + measure(resident), 0);
const byName = (a: { readonly group: string }, b: { readonly group: string }): number =>
  a.group < b.group ? -1 : 1;
