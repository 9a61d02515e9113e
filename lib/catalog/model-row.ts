/** What is known of one model beyond its object in S3; a model without a row is cold and has no bounds. */
export interface ModelRow {
  readonly model: string;
  /** Kept in a slot whatever its traffic. */
  readonly pinned?: boolean;
  /** Shares its slot with nobody. */
  readonly isolated?: boolean;
  readonly minWorkers?: number;
  readonly maxWorkers?: number;
  /** How long it may go without a call before it leaves its slot, in seconds. */
  readonly maxIdleSeconds?: number;
  /** Its object has been deleted. */
  readonly gone?: boolean;
  /** Measured by a worker: open, in memory. */
  readonly sizeBytes?: number;
  /** Measured by a worker: from the store to ready. */
  readonly loadMs?: number;
}

/** Rows with wishes are found without a look at all others: those that somebody pins or gives bounds, while they are there. */
export const hasWish = ({ pinned, minWorkers = 0, gone }: ModelRow): boolean =>
  gone !== true && (pinned === true || minWorkers > 0);
