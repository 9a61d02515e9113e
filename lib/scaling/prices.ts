/** Dollars per GB-second. */
export interface Prices {
  /** A call on an environment that was not provisioned, its init phase included (billed since 2025-08-01). */
  readonly onDemand: number;
  /** A provisioned environment, whether it is called or not. */
  readonly idle: number;
  /** A call on a provisioned environment, on top of `idle`. */
  readonly provisioned: number;
}

export type Architecture = 'x86_64' | 'arm64';

/** R0. us-east-1, first tier; aws.amazon.com/lambda/pricing as third-party copies of the price list had it on 2026-11-22. */
export const PRICES: Readonly<Record<Architecture, Prices>> = {
  x86_64: { onDemand: 1.66667e-5, idle: 4.1667e-6, provisioned: 9.7222e-6 },
  arm64: { onDemand: 1.33334e-5, idle: 3.3334e-6, provisioned: 7.7778e-6 },
};
