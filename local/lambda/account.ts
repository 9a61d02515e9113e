import { invalidParameter } from './lambda-error.ts';

/** Lambda keeps so much of the account's concurrency for functions that reserve none. */
const MIN_UNRESERVED = 100;

/** What one function takes of the account's concurrency. */
export interface Usage {
  readonly functionName: string;
  /** Calls that environments on demand run, or are starting for. */
  readonly onDemand: number;
  readonly provisionedBusy: number;
  readonly allocated: number;
  /** Allocated, or asked for. */
  readonly claimed: number;
}

/** The account's concurrency, and what functions have reserved of it. */
export class Account {
  readonly limit: number;
  readonly #usages: () => readonly Usage[];
  readonly #reserved = new Map<string, number>();

  constructor(limit: number, usages: () => readonly Usage[]) {
    this.limit = limit;
    this.#usages = usages;
  }

  get usages(): readonly Usage[] {
    return this.#usages();
  }

  usageOf(functionName: string): Usage | undefined {
    return this.usages.find((usage) => usage.functionName === functionName);
  }

  get reserved(): number {
    return [...this.#reserved.values()].reduce((sum, count) => sum + count, 0);
  }

  get unreserved(): number {
    return this.limit - this.reserved;
  }

  reservedOf(functionName: string): number | undefined {
    return this.#reserved.get(functionName);
  }

  /** @throws LambdaError InvalidParameterValueException when too little would be left, for others or for itself. */
  reserve(functionName: string, count: number): void {
    const others = this.reserved - (this.reservedOf(functionName) ?? 0);
    const left = this.limit - others - this.#claimedWithoutReservation(functionName) - count;
    if (left < MIN_UNRESERVED) throw tooLittleLeft('ReservedConcurrentExecutions', count, left);
    const claimed = this.#claimedBy(functionName);
    if (count > 0 && count < claimed) {
      throw invalidParameter(
        `Specified ReservedConcurrentExecutions of ${count} should not be less than the function's provisioned concurrency of ${claimed}.`,
      );
    }
    this.#reserved.set(functionName, count);
  }

  unreserve(functionName: string): void {
    this.#reserved.delete(functionName);
  }

  /**
   * @param count what is asked for
   * @param replaced what the function has claimed by the same configuration so far
   * @throws LambdaError InvalidParameterValueException when there is no room for it.
   */
  checkProvisioned(functionName: string, count: number, replaced: number): void {
    const own = this.#claimedBy(functionName) - replaced + count;
    const reserved = this.reservedOf(functionName);
    if (reserved !== undefined) {
      if (own <= reserved) return;
      throw invalidParameter(
        `Requested Provisioned Concurrency of ${own} should not be greater than the reservedConcurrentExecution for function of ${reserved}`,
      );
    }
    const left = this.unreserved - this.#claimedWithoutReservation(functionName) - own;
    if (left < MIN_UNRESERVED) throw tooLittleLeft('ConcurrentExecutions', count, left);
  }

  #claimedBy(functionName: string): number {
    return this.usageOf(functionName)?.claimed ?? 0;
  }

  /** By other functions than the one that asks; what reserves holds its provisioned concurrency in itself. */
  #claimedWithoutReservation(except: string): number {
    return this.usages
      .filter(({ functionName }) => functionName !== except && this.reservedOf(functionName) === undefined)
      .reduce((sum, { claimed }) => sum + claimed, 0);
  }
}

const tooLittleLeft = (what: string, count: number, left: number) =>
  invalidParameter(
    `Specified ${what} of ${count} for function decreases account's UnreservedConcurrentExecution to ${left}, below its minimum value of [${MIN_UNRESERVED}].`,
  );
