/** Provisioned concurrency of one published version. */
export interface Allocation {
  readonly version: string;
  readonly requested: number;
  /** Usable now. */
  readonly available: number;
  readonly status: 'IN_PROGRESS' | 'READY' | 'FAILED';
  /** Why it failed. */
  readonly reason?: string;
}

export interface Account {
  /** Concurrent executions, all functions together. */
  readonly limit: number;
  /** Of these, what no function has reserved. */
  readonly unreserved: number;
}

/** Port. Lambda's control plane, as far as workers are concerned: 15 calls a second for the whole account. */
export interface Fleet {
  /** @returns the published version behind alias `live`; `undefined` when there is none */
  liveVersion(functionName: string): Promise<string | undefined>;
  /** @returns all provisioned concurrency of a function, old versions included */
  list(functionName: string): Promise<readonly Allocation[]>;
  /**
   * Asks for `workers` in all, at least 1.
   * @throws ControlPlaneBusy; Refused when Lambda will not have it, e.g. over the account's limit
   */
  put(functionName: string, version: string, workers: number): Promise<void>;
  /** Also when there is none. */
  remove(functionName: string, version: string): Promise<void>;
  account(): Promise<Account>;
}

/** Lambda takes no more control-plane calls now: the next tick goes on. */
export class ControlPlaneBusy extends Error {
  override readonly name = 'ControlPlaneBusy';
}

/** Lambda says no, and will again. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
