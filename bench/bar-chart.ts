import { colour, escapeXml, ticks } from './plot.ts';

export interface Bars {
  readonly title: string;
  readonly yLabel: string;
  readonly groups: readonly string[];
  /** A value for each group; what was not measured is not drawn. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[];
}

const WIDTH = 960;
const HEIGHT = 320;
const LEFT = 64;
const TOP = 48;
const BOTTOM = 36;
const ROOM = HEIGHT - TOP - BOTTOM;

/** Bars side by side as SVG, each with its number. */
export const barChart = ({ title, yLabel, groups, series }: Bars): string => {
  const most = Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const groupWidth = (WIDTH - LEFT - 16) / groups.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const legendWidth = (WIDTH - LEFT - 60) / series.length;
  const y = (value: number): number => Math.round(HEIGHT - BOTTOM - (value * ROOM) / most);

  const grid = ticks(most).map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const bars = series.flatMap(({ values }, which) =>
    values.map((value, group) => {
      if (value === undefined) return '';
      const x = Math.round(LEFT + groupWidth * (group + 0.1) + barWidth * which);
      const middle = Math.round(x + barWidth / 2);
      return `<rect x="${x}" y="${y(value)}" width="${Math.round(barWidth - 4)}" height="${HEIGHT - BOTTOM - y(value)}" fill="${colour(which)}"/><text x="${middle}" y="${y(value) - 4}" text-anchor="middle">${Math.round(value)}</text>`;
    }),
  );
  const names = groups.map(
    (name, group) =>
      `<text x="${Math.round(LEFT + groupWidth * (group + 0.5))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeXml(name)}</text>`,
  );
  const legend = series.map(
    ({ name }, which) =>
      `<text x="${Math.round(LEFT + 60 + which * legendWidth)}" y="${TOP - 8}" fill="${colour(which)}">■ ${escapeXml(name)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="18" font-size="14">${escapeXml(title)}</text>`,
    `<text x="12" y="${TOP - 8}">${escapeXml(yLabel)}</text>`,
    ...grid,
    ...bars,
    ...names,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
};
