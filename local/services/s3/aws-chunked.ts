import { S3Error } from './s3-error.ts';

const MAX_LINE_BYTES = 8192;
const CRLF = Buffer.from('\r\n');

/**
 * Takes the framing off an `aws-chunked` body: `<hex size>[;chunk-signature=...]\r\n<data>\r\n` until a chunk of size
 * 0, then trailing headers. Signatures of chunks are not verified.
 * @param onTrailer told of every trailing header, in lower case
 * @throws S3Error IncompleteBody for any other framing.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Buffer>,
  onTrailer: (name: string, value: string) => void,
): AsyncGenerator<Buffer> {
  const reader = createReader(body);
  for (;;) {
    const line = await reader.line();
    if (!/^[0-9a-f]{1,8}(;.*)?$/i.test(line)) throw malformed(`"${line.slice(0, 40)}" is no chunk header`);
    const size = Number.parseInt(line, 16);
    if (size === 0) break;
    yield* reader.bytes(size);
    if ((await reader.line()) !== '') throw malformed('a chunk is longer than its header says');
  }
  for (let line = await reader.lineOrEnd(); line; line = await reader.lineOrEnd()) {
    const colon = line.indexOf(':');
    onTrailer(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

const malformed = (why: string): S3Error =>
  new S3Error('IncompleteBody', `The aws-chunked body is malformed: ${why}`);

const createReader = (body: AsyncIterable<Buffer>) => {
  const source = body[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);

  const more = async (): Promise<boolean> => {
    const { value, done } = await source.next();
    if (done) return false;
    buffered = buffered.length === 0 ? value : Buffer.concat([buffered, value]);
    return true;
  };

  const lineOrEnd = async (): Promise<string | undefined> => {
    for (;;) {
      const end = buffered.indexOf(CRLF);
      if (end >= 0) {
        const line = buffered.toString('latin1', 0, end);
        buffered = buffered.subarray(end + CRLF.length);
        return line;
      }
      if (buffered.length > MAX_LINE_BYTES) throw malformed('a line is too long');
      if (!(await more())) return undefined;
    }
  };

  return {
    lineOrEnd,
    async line(): Promise<string> {
      const line = await lineOrEnd();
      if (line === undefined) throw malformed('it ends before its last chunk');
      return line;
    },
    async *bytes(size: number): AsyncGenerator<Buffer> {
      let left = size;
      while (left > 0) {
        if (buffered.length === 0 && !(await more())) throw malformed('it ends inside a chunk');
        const part = buffered.subarray(0, left);
        buffered = buffered.subarray(part.length);
        left -= part.length;
        if (part.length > 0) yield part;
      }
    },
  };
};
