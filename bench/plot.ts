/** One line of a chart: a value per sample, all lines alike. */
export interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

export interface Chart {
  readonly title: string;
  readonly yLabel: string;
  /** Seconds between two samples. */
  readonly everySeconds: number;
  readonly lines: readonly Line[];
  /** Stretches of time with a name, by their first and last sample. */
  readonly phases: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

const WIDTH = 960;
const HEIGHT = 320;
const LEFT = 48;
const TOP = 48;
const BOTTOM = 36;
const COLOURS = ['#d62728', '#1f77b4', '#2ca02c', '#ff7f0e', '#9467bd', '#8c564b', '#7f7f7f'];

/** A chart of steps over time as SVG, without a library: lines, a grid, a legend and shaded phases. */
export const stepChart = ({ title, yLabel, everySeconds, lines, phases }: Chart): string => {
  const samples = Math.max(2, ...lines.map(({ values }) => values.length));
  const most = Math.max(1, ...lines.flatMap(({ values }) => values));
  const x = (sample: number): number => round(LEFT + (sample * (WIDTH - LEFT - 16)) / (samples - 1));
  const y = (value: number): number => round(HEIGHT - BOTTOM - (value * (HEIGHT - TOP - BOTTOM)) / most);

  const shades = phases.map(({ name, from, to }, index) => {
    const fill = index % 2 === 0 ? '#f2f2f2' : '#ffffff';
    return `<rect x="${x(from)}" y="${TOP}" width="${round(x(to) - x(from))}" height="${HEIGHT - TOP - BOTTOM}" fill="${fill}"/><text x="${round((x(from) + x(to)) / 2)}" y="${TOP + 14}" text-anchor="middle" fill="#555">${escapeXml(name)}</text>`;
  });
  const grid = ticks(most).map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const seconds = (samples - 1) * everySeconds;
  const times = ticks(seconds).map(
    (second) =>
      `<text x="${x(second / everySeconds)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${second} s</text>`,
  );
  const paths = lines.map(({ values }, index) => {
    const steps = values.map(
      (value, sample) =>
        `${sample === 0 ? 'M' : 'H'}${x(sample)}${sample === 0 ? ` ${y(value)}` : `V${y(value)}`}`,
    );
    return `<path d="${steps.join('')}" fill="none" stroke="${colour(index)}" stroke-width="2"/>`;
  });
  const legend = lines.map(
    ({ name }, index) =>
      `<text x="${LEFT + index * 150}" y="${TOP - 8}" fill="${colour(index)}">■ ${escapeXml(name)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="18" font-size="14">${escapeXml(title)}</text>`,
    `<text x="12" y="${TOP - 8}">${escapeXml(yLabel)}</text>`,
    ...shades,
    ...grid,
    ...times,
    ...paths,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
};

export const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? 'black';
const round = (value: number): number => Math.round(value * 10) / 10;
export const escapeXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** About five round numbers from 0 up to `most`. */
export const ticks = (most: number): readonly number[] => {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
};
