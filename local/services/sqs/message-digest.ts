import { createHash, type Hash } from 'node:crypto';
import { type MessageAttributes, valueBytes } from './message-attributes.ts';

export const md5OfBody = (body: string): string => createHash('md5').update(body).digest('hex');

/**
 * Developer guide, "Calculating the MD5 message digest for message attributes": in the order of their names; each text
 * behind its length, and a byte between type and value that tells text (1) from bytes (2).
 * @returns `undefined` when there are none: SQS says nothing then
 */
export const md5OfAttributes = (attributes: MessageAttributes): string | undefined => {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const md5 = createHash('md5');
  for (const name of names) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    addWithLength(md5, Buffer.from(name));
    addWithLength(md5, Buffer.from(attribute.dataType));
    md5.update(Buffer.from([attribute.stringValue === undefined ? 2 : 1]));
    addWithLength(md5, valueBytes(attribute));
  }
  return md5.digest('hex');
};

const addWithLength = (md5: Hash, bytes: Buffer): void => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  md5.update(length).update(bytes);
};
