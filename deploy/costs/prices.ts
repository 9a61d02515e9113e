import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture, Prices as LambdaPrices } from '../../lib/scaling/prices.ts';

interface Price {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
  /** Nobody here has found a second source. */
  readonly unverified?: true;
}

interface PriceFile {
  readonly region: string;
  readonly readOn: string;
  readonly prices: Readonly<Record<string, Price>>;
}

/** The one price file. */
export const PRICE_FILE = JSON.parse(
  readFileSync(join(import.meta.dirname, 'prices.json'), 'utf8'),
) as PriceFile;

/** @throws Error for a name that the file has not */
export const price = (name: string): number => {
  const found = PRICE_FILE.prices[name];
  if (found === undefined) throw new Error(`deploy/costs/prices.json has no price ${name}`);
  return found.value;
};

/** As the scaler reckons (lib/scaling/prices.ts): a test holds both to the same figures. */
export const lambdaPrices = (architecture: Architecture): LambdaPrices => {
  const suffix = architecture === 'arm64' ? 'Arm' : 'X86';
  return {
    onDemand: price(`lambdaOnDemand${suffix}`),
    idle: price(`lambdaIdle${suffix}`),
    provisioned: price(`lambdaProvisioned${suffix}`),
  };
};
