import { describe, expect, it } from 'vitest';
import { createNoteObjects, parseNotification } from '../../../lib/catalog/object-events.ts';
import { isModelName } from '../../../lib/models/model-name.ts';

const setUp = (there: ReadonlySet<string>) => {
  const notes: [string, boolean, string][] = [];
  const note = createNoteObjects({
    prefix: 'models/',
    isModelName,
    exists: async (model) => there.has(model),
    lift: async () => undefined,
    note: async (...args) => void notes.push(args),
  });
  return { note, notes };
};

describe('an event of the bucket', () => {
  it('is a reason to look, and what is there counts', async () => {
    const { note, notes } = setUp(new Set(['tenant-7/a.tar.gz']));
    await note({ key: 'models/tenant-7/a.tar.gz', sequencer: '0055AED6' });
    await note({ key: 'models/b.onnx', sequencer: '0055AED6DCD90281E5' });
    expect(notes).toEqual([
      ['tenant-7/a.tar.gz', true, '0055AED6'.padEnd(64, '0')],
      ['b.onnx', false, '0055AED6DCD90281E5'.padEnd(64, '0')],
    ]);
  });

  it.each(['models/readme.txt', 'async/a.tar.gz', 'models/../a.tar.gz', 'models/'])(
    'of %s means nothing',
    async (key) => {
      const { note, notes } = setUp(new Set());
      await note({ key, sequencer: '1' });
      expect(notes).toEqual([]);
    },
  );
});

describe('a notification', () => {
  it('has keys as forms have them', () => {
    const object = { key: 'models/a+b%2Bc%2F%C3%A9.tar.gz', sequencer: '00A' };
    expect(parseNotification(JSON.stringify({ Records: [{ s3: { object } }] }))).toEqual([
      { key: 'models/a b+c/é.tar.gz', sequencer: '00A' },
    ]);
  });

  it("may be S3's test of the queue", () => {
    expect(parseNotification('{"Service":"Amazon S3","Event":"s3:TestEvent"}')).toEqual([]);
    expect(parseNotification('null')).toEqual([]);
  });
});
