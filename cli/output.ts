/** Where a command's answer goes. */
export interface Output {
  /** The answer, on standard output: as text, or with `--json` as JSON. */
  answer(text: string, json: unknown): void;
  /** One of many lines, as it is. */
  line(text: string): void;
  /** What is no answer, and worth knowing: on standard error. */
  note(text: string): void;
  /** What is going on: on standard error where that is a terminal, over what was going on before; not with `--json`. */
  progress(text: string): void;
  /** What comes next begins a line. */
  end(): void;
}

export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean };
}

export const createOutput = (isJson: boolean, { out, err }: Streams): Output => {
  let isOpen = false;
  const end = (): void => {
    if (isOpen) err.write('\n');
    isOpen = false;
  };
  return {
    end,
    answer(text, json) {
      end();
      out.write(`${isJson ? JSON.stringify(json) : text}\n`);
    },
    line(text) {
      end();
      out.write(`${text}\n`);
    },
    note(text) {
      end();
      err.write(`${text}\n`);
    },
    progress(text) {
      if (isJson || err.isTTY !== true) return;
      err.write(`\r\u001b[K${text}`);
      isOpen = true;
    },
  };
};

export const bytesText = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
};
