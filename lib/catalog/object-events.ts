/** Something happened to an object: what it is now, S3 knows better than an event that may be late. */
export interface ObjectEvent {
  /** The object's key, as it is. */
  readonly key: string;
  /** Of events of one key, the later has the greater one, as text. */
  readonly sequencer: string;
}

export interface NoteObjectsOptions {
  /** Of the models, ends with `/`. */
  readonly prefix: string;
  readonly isModelName: (name: string) => boolean;
  readonly exists: (model: string) => Promise<boolean>;
  /** Forgets what an older object has done to its workers. */
  readonly lift: (model: string) => Promise<void>;
  /** Notes in the model's row, if it has one, whether its object is there; what an older event says is passed over. */
  readonly note: (model: string, isThere: boolean, sequencer: string) => Promise<void>;
}

/** S3's sequencers are of different lengths: the shorter one is filled up with zeros (S3 User Guide, event ordering). */
const SEQUENCER_LENGTH = 64;

/**
 * Keeps rows of models in step with their objects. Events come at least once, late and in any order: each is a reason to look, and no
 * more. A row of a model that is gone keeps what its owner said, for when it comes back.
 */
export const createNoteObjects =
  ({ prefix, isModelName, exists, note, lift }: NoteObjectsOptions) =>
  async ({ key, sequencer }: ObjectEvent): Promise<void> => {
    const model = key.slice(prefix.length);
    if (!key.startsWith(prefix) || !isModelName(model)) return;
    await note(model, await exists(model), sequencer.padEnd(SEQUENCER_LENGTH, '0'));
    await lift(model);
  };

interface S3Event {
  readonly Records?: readonly {
    readonly s3?: { readonly object?: { readonly key?: string; readonly sequencer?: string } };
  }[];
}

/** The events in a notification; S3's own test of the queue has none. @throws SyntaxError for what is no JSON */
export const parseNotification = (text: string): readonly ObjectEvent[] =>
  ((JSON.parse(text) as S3Event | null)?.Records ?? []).flatMap(({ s3 }) => {
    const { key, sequencer = '' } = s3?.object ?? {};
    // Form-encoded: a space is a plus.
    return key === undefined ? [] : [{ key: decodeURIComponent(key.replaceAll('+', ' ')), sequencer }];
  });
