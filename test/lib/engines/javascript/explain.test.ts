import { describe, expect, it } from 'vitest';
import { explain } from '../../../../lib/engines/javascript/explain.ts';

describe('explain', () => {
  it.each<[unknown, string]>([
    [
      "Cannot find module '/tmp/models/ab12/other.mjs' imported from /tmp/models/ab12/model.mjs",
      "Cannot find module 'other.mjs' imported from model.mjs",
    ],
    ['at file:///var/task/thread.mjs:1', 'at thread.mjs:1'],
    ['1/2 of /x is text/csv', '1/2 of /x is text/csv'],
    ['two\n  lines', 'two lines'],
    ['x'.repeat(400), 'x'.repeat(300)],
    [{ toString: 1 }, 'it gave no reason that can be read'],
  ])('makes one short line without paths of %j', (reason, line) => {
    expect(explain(reason)).toBe(line);
  });
});
