const WIDTH = 30;

/** A progress bar on a terminal; elsewhere one line when the work is done. */
export const createProgress = (label: string, output: NodeJS.WriteStream) => {
  let shownPercent = -1;

  return (done: number, total: number): void => {
    const percent = Math.floor((100 * done) / total);
    if (percent === shownPercent) return;
    shownPercent = percent;

    if (output.isTTY) {
      const filled = Math.round((WIDTH * done) / total);
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      output.write(`\r${label} ${bar} ${done}/${total}${done === total ? '\n' : ''}`);
    } else if (done === total) {
      output.write(`${label} ${done}/${total}\n`);
    }
  };
};
