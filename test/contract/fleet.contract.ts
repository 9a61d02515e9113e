import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlPlaneBusy, type Fleet, Refused } from '../../lib/scaling/fleet.ts';

export interface FleetUnderTest {
  readonly fleet: Fleet;
  /** A function with versions 1 and 2, of which `live` is 1. */
  readonly functionName: string;
  readonly limit: number;
  /** Until all that was asked for is there. */
  ready(): Promise<void>;
  /** From now on Lambda takes no control-plane calls. */
  block(): Promise<void>;
  close(): Promise<void>;
}

/** What every Fleet must do. */
export const fleetContract = (name: string, create: () => Promise<FleetUnderTest>): void => {
  describe(`Fleet: ${name}`, () => {
    let tested: FleetUnderTest;
    let fleet: Fleet;
    beforeEach(async () => {
      tested = await create();
      fleet = tested.fleet;
    });
    afterEach(() => tested.close());

    it('knows the version behind alias live, and none of a function that is not there', async () => {
      expect(await fleet.liveVersion(tested.functionName)).toBe('1');
      expect(await fleet.liveVersion('no-such-function')).toBeUndefined();
    });

    it('has workers in progress first, and all of them when they are ready', async () => {
      expect(await fleet.list(tested.functionName)).toEqual([]);

      await fleet.put(tested.functionName, '1', 2);
      expect(await fleet.list(tested.functionName)).toEqual([
        { version: '1', requested: 2, available: 0, status: 'IN_PROGRESS' },
      ]);
      await tested.ready();

      expect(await fleet.list(tested.functionName)).toEqual([
        { version: '1', requested: 2, available: 2, status: 'READY' },
      ]);
    });

    it('keeps what is ready while more are on their way', async () => {
      await fleet.put(tested.functionName, '1', 1);
      await tested.ready();

      await fleet.put(tested.functionName, '1', 2);

      expect(await fleet.list(tested.functionName)).toEqual([
        { version: '1', requested: 2, available: 1, status: 'IN_PROGRESS' },
      ]);
      await tested.ready();
    });

    it('has each version by itself, and removes one without the other', async () => {
      await fleet.put(tested.functionName, '1', 1);
      await fleet.put(tested.functionName, '2', 1);
      await tested.ready();

      await fleet.remove(tested.functionName, '1');
      await fleet.remove(tested.functionName, '1');

      expect((await fleet.list(tested.functionName)).map(({ version }) => version)).toEqual(['2']);
    });

    it('says what the account may have, and refuses more', async () => {
      expect(await fleet.account()).toEqual({ limit: tested.limit, unreserved: tested.limit });

      await expect(fleet.put(tested.functionName, '1', tested.limit)).rejects.toThrow(Refused);
    });

    it('says when the control plane takes no calls', async () => {
      await tested.block();

      await expect(fleet.list(tested.functionName)).rejects.toThrow(ControlPlaneBusy);
    });
  });
};
