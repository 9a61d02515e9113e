const MAX_LINE_CHARACTERS = 1024 * 1024;

export interface OutputLinesOptions {
  readonly onLine: (line: string) => void;
  /** A line was dropped because it was longer than 1 MB. */
  readonly onTooLong: () => void;
}

interface Stream {
  partial: string;
  /** The rest of a line that was too long is still coming. */
  isDropping: boolean;
}

/** Puts lines together from the chunks of several streams; what a stream ends with is a line as well. */
export const createOutputLines = ({ onLine, onTooLong }: OutputLinesOptions) => {
  const streams = new Map<string, Stream>();

  const endLine = (stream: Stream, rest: string): void => {
    const line = stream.partial + rest;
    const isTooLong = line.length > MAX_LINE_CHARACTERS;
    if (!stream.isDropping && !isTooLong && line !== '') onLine(line);
    if (!stream.isDropping && isTooLong) onTooLong();
    stream.partial = '';
    stream.isDropping = false;
  };

  const keepPartial = (stream: Stream, text: string): void => {
    if (stream.isDropping) return;
    stream.partial += text;
    if (stream.partial.length <= MAX_LINE_CHARACTERS) return;
    stream.partial = '';
    stream.isDropping = true;
    onTooLong();
  };

  return {
    add(streamId: string, text: string): void {
      const stream = streams.get(streamId) ?? { partial: '', isDropping: false };
      streams.set(streamId, stream);
      const lines = text.split('\n');
      const partial = lines.pop() ?? '';
      for (const line of lines) endLine(stream, line);
      keepPartial(stream, partial);
    },
    end(streamId: string): void {
      const stream = streams.get(streamId);
      streams.delete(streamId);
      if (stream !== undefined) endLine(stream, '');
    },
  };
};
