/** Where a command's answer goes. */
export interface Output {
  /** The answer, on standard output: as text, or with `--json` as JSON. */
  answer(text: string, json: unknown): void;
  /** One of many lines, as it is. */
  line(text: string): void;
  /** What is going on, on standard error; on a terminal over the line before. */
  progress(text: string): void;
}

export const processOutput = (isJson: boolean): Output => {
  let isOpen = false;
  return {
    answer(text, json) {
      if (isOpen) process.stderr.write('\n');
      isOpen = false;
      process.stdout.write(`${isJson ? JSON.stringify(json) : text}\n`);
    },
    line(text) {
      process.stdout.write(`${text}\n`);
    },
    progress(text) {
      if (!process.stderr.isTTY) return;
      process.stderr.write(`\r\u001b[K${text}`);
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
