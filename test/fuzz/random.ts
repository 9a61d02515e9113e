/** Seeded, so that every case can be made again from its number (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Both ends count. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    // Every list of choices here has some.
    return choices[this.integer(0, choices.length - 1)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.integer(0, 255)));
  }
}

/** Cases are independent of each other: the thousandth needs no others before it. */
export const randomOf = (seed: number, kind: string, number: number): Random => {
  let hash = seed | 0;
  for (const character of `${kind}#${number}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) + 0x9e3779b9;
  }
  return new Random(hash);
};

/** Bits turned, bytes replaced, cut off, doubled, put in or taken out: one to four times. */
export const damage = (random: Random, bytes: Uint8Array): Buffer => {
  let damaged: Buffer = Buffer.from(bytes);
  for (let times = random.integer(1, 4); times > 0; times--) damaged = damageOnce(random, damaged);
  return damaged;
};

const damageOnce = (random: Random, bytes: Buffer): Buffer => {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  const end = Math.min(bytes.length, at + random.integer(1, 16));
  switch (random.integer(0, 7)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.integer(1, 8)), bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 4:
      bytes.fill(random.pick([0x00, 0xff, 0x20, 0x80]), at, end);
      return bytes;
    case 5:
      if (bytes.length > 0) bytes[at] = random.integer(0, 255);
      return bytes;
    default:
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
      return bytes;
  }
};
