import type { Tensor } from '../../lib/engines/engine.ts';
import { encodeNpy } from '../../lib/protocol/codecs/npy.ts';
import { encodeNpz } from '../../lib/protocol/codecs/npz.ts';
import type { InferenceCall } from '../../lib/protocol/envelope.ts';
import { type Chance, damage, damageText } from './random.ts';

export interface FuzzCall {
  readonly call: Omit<InferenceCall, 'model'>;
  /** The rows that were sent, where they must be answered rightly: y = x0 + 2 x1 + 3. */
  readonly rows?: readonly (readonly [number, number])[];
}

const BINARY = 'application/vnd.sagemaker-triton.binary+json';

interface Good {
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

/** A request for a model with one input `x`, float32, rows of 2; whole, or spoilt in one of many ways. */
export const fuzzCall = (random: Chance): FuzzCall => {
  const rows = Array.from({ length: 1 + random.below(4) }, () => [number(random), number(random)] as const);
  const { contentType, body } = good(rows, random);
  const isWhole = random.fraction() < 0.25;
  const accept = random.pick([
    undefined,
    undefined,
    undefined,
    'application/json',
    '*/*',
    'text/csv',
    'application/x-npy',
    'application/x-npz',
    BINARY,
    'image/png',
    'application/json;q=0',
    ',;q=x',
  ]);
  if (isWhole) return { call: encode(contentType, body, 'application/json'), rows };

  const type =
    random.fraction() < 0.1
      ? random.pick([
          '',
          'application/json',
          'text/csv',
          'application/x-npy',
          'application/x-npz',
          BINARY,
          `${BINARY};json-header-size=5`,
          'x'.repeat(300),
          'text/csv; a="b;c"',
        ])
      : contentType;
  if (typeof body === 'string' && random.fraction() < 0.7)
    return { call: encode(type, spoilText(body, random), accept) };
  return { call: encode(type, damage(Buffer.from(body), random), accept) };
};

/** Float32 has them exactly, so that answers can be compared. */
const number = (random: Chance): number => random.below(2000) / 8 - 100;

const good = (rows: readonly (readonly [number, number])[], random: Chance): Good => {
  const data = Float32Array.from(rows.flat());
  const x: Tensor = { name: 'x', type: 'float32', shape: [rows.length, 2], data };
  const v2 = { name: 'x', shape: x.shape, datatype: 'FP32' };
  const json = (value: unknown): Good => ({ contentType: 'application/json', body: JSON.stringify(value) });
  switch (random.below(9)) {
    case 0:
      return json({ instances: rows });
    case 1:
      return json({ inputs: rows });
    case 2:
      return json({ inputs: { x: rows } });
    case 3:
      return json({ instances: rows.map((row) => ({ x: row })) });
    case 4:
      return json({ id: '1', inputs: [{ ...v2, data: random.fraction() < 0.5 ? rows : [...data] }] });
    case 5:
      return { contentType: 'text/csv', body: rows.map((row) => row.join(',')).join('\n') };
    case 6:
      return { contentType: 'application/x-npy', body: encodeNpy([x]) };
    case 7:
      return { contentType: 'application/x-npz', body: encodeNpz([x]) };
    default: {
      const parameters = { binary_data_size: data.byteLength };
      const header = Buffer.from(JSON.stringify({ inputs: [{ ...v2, parameters }] }));
      const body = Buffer.concat([header, new Uint8Array(data.buffer)]);
      return { contentType: `${BINARY};json-header-size=${header.length}`, body };
    }
  }
};

const spoilText = (body: string, random: Chance): string => {
  let spoilt = body;
  for (let turns = 1 + random.below(3); turns > 0; turns--) spoilt = damageText(spoilt, random);
  return spoilt;
};

const encode = (
  contentType: string,
  body: string | Uint8Array,
  accept: string | undefined,
): FuzzCall['call'] => ({
  contentType,
  accept,
  ...(typeof body === 'string'
    ? { body, isBase64Encoded: false }
    : { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }),
});
