/** A seeded source of chance: every case of a run can be repeated from its seed and number. */
export interface Chance {
  /** From 0 up to 1. */
  fraction(): number;
  /** A whole number below `limit`. */
  below(limit: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
  bytes(length: number): Buffer;
}

/** mulberry32 */
export const chance = (seed: number): Chance => {
  let state = seed | 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
};

/** Flips, cuts, inserts and repeats: what happens to bytes on their way. */
export const damage = (bytes: Uint8Array, random: Chance): Buffer => {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length || 1);
  switch (random.below(6)) {
    case 0:
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        const byte = random.below(copy.length || 1);
        copy[byte] = (copy[byte] ?? 0) ^ (1 << random.below(8));
      }
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return copy.subarray(at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), random.bytes(1 + random.below(32)), copy.subarray(at)]);
    case 4:
      return Buffer.concat([copy, copy.subarray(at)]);
    default:
      return copy.fill(random.below(256), at, Math.min(copy.length, at + 1 + random.below(64)));
  }
};

/** Text with one of its tokens replaced, doubled or dropped. */
export const damageText = (text: string, random: Chance): string => {
  const tokens = text.match(/"[^"]*"|-?[\d.]+(?:e[+-]?\d+)?|\w+|\s+|./gi) ?? [];
  const at = random.below(tokens.length || 1);
  const token = random.pick([
    '',
    'null',
    '1e999',
    '-0',
    'NaN',
    '"NaN"',
    '1e-400',
    '9007199254740993',
    '[]',
    '{}',
    '[[1]]',
    '"x"',
    'true',
    '"__proto__"',
    '"constructor"',
    '\u0000',
    '\ud800',
    tokens[at] ?? '',
    tokens[random.below(tokens.length || 1)] ?? '',
    '['.repeat(random.below(3000)),
  ]);
  return [...tokens.slice(0, at), token, ...tokens.slice(at + random.below(3))].join('');
};
