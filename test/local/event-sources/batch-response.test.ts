import { expect, it } from 'vitest';
import { parseFailures } from '../../../local/services/event-sources/batch-response.ts';

const failures = (...identifiers: unknown[]): string =>
  JSON.stringify({ batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) });

it.each([
  ['nothing', '', []],
  ['null', 'null', []],
  ['an empty answer', '{}', []],
  ['no failures', '{"batchItemFailures":[]}', []],
  ['failures that are null', '{"batchItemFailures":null}', []],
  ['one failure', failures('b'), ['b']],
  ['one failure twice', failures('b', 'b'), ['b']],
  ['what is no JSON', 'undefined', ['a', 'b']],
  ['a text', '"a"', ['a', 'b']],
  ['a list', '[]', ['a', 'b']],
  ['failures that are no list', '{"batchItemFailures":"a"}', ['a', 'b']],
  ['an empty identifier', failures('a', ''), ['a', 'b']],
  ['an identifier that is null', failures(null), ['a', 'b']],
  ['an identifier under another name', '{"batchItemFailures":[{"id":"a"}]}', ['a', 'b']],
  ['a message of another batch', failures('a', 'z'), ['a', 'b']],
])('%s means that these failed', (_, payload, expected) => {
  expect([...parseFailures(payload, ['a', 'b'])]).toEqual(expected);
});
