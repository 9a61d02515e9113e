import { describe, expect, it } from 'vitest';
import { Account, type Usage } from '../../../local/lambda/account.ts';
import { createAdmission } from '../../../local/lambda/admission.ts';
import { TokenBucket } from '../../../local/lambda/token-bucket.ts';

const now = () => 0;
const usage = (functionName: string, overrides: Partial<Usage> = {}): Usage => ({
  functionName,
  onDemand: 0,
  provisionedBusy: 0,
  allocated: 0,
  claimed: 0,
  ...overrides,
});

/** What function f may do next to others. */
const admission = (account: Account) => {
  const accountRate = new TokenBucket(now);
  return createAdmission({ account, functionName: 'f', accountRate, isBounded: true, now });
};

describe('calls on demand', () => {
  it.each([
    ['all but one are in use', 899, true],
    ['all are in use', 900, false],
  ])("are bound by what is left of the account's concurrency: %s", (_, onDemand, isAdmitted) => {
    const others = [
      usage('others', { onDemand: onDemand - 100 }),
      usage('provisioned', { allocated: 100, claimed: 100 }),
      usage('reserving', { onDemand: 7 }),
    ];
    const account = new Account(1000, () => [usage('f'), ...others]);
    account.reserve('reserving', 100);

    const admit = () => admission(account).admitOnDemand();

    if (isAdmitted) expect(admit).not.toThrow();
    else expect(admit).toThrow('unreserved concurrency of 900 in use');
  });

  it("are not bound by the account's concurrency where some is reserved for them", () => {
    const account = new Account(1000, () => [usage('f'), usage('others', { onDemand: 900 })]);
    account.reserve('f', 100);

    expect(() => admission(account).admitOnDemand()).not.toThrow();
  });
});

describe('what a function asks for', () => {
  it('does not count what it replaces', () => {
    const account = new Account(1000, () => [usage('f', { claimed: 600 })]);

    expect(() => account.checkProvisioned('f', 900, 600)).not.toThrow();
    expect(() => account.checkProvisioned('f', 301, 0)).toThrow('to 99, below');
  });

  it('counts what others reserve once, with all that they have provisioned of it', () => {
    const account = new Account(1000, () => [usage('f'), usage('others', { claimed: 300 })]);
    account.reserve('others', 400);

    expect(() => account.checkProvisioned('f', 500, 0)).not.toThrow();
    expect(() => account.checkProvisioned('f', 501, 0)).toThrow('to 99, below');
  });
});
