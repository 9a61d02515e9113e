import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { readZip, writeZip } from './zip.ts';

/**
 * What an archive may unpack to. A body is at most 6 MB (Lambda), and arrays of numbers seldom deflate to less than a
 * tenth; deflate reaches a thousandth, and such a body would take the memory that models are served from.
 */
const MAX_UNPACKED_BYTES = 64 * 2 ** 20;

/**
 * `application/x-npz`: arrays by name, as `np.savez` and `np.savez_compressed` write them. Input x is the member `x.npy`.
 * @throws ServingError ValidationError for a member that is no input, an input without a member, and see `decodeNpy`.
 */
export const decodeNpz = (bytes: Uint8Array, inputs: readonly TensorSpec[]): readonly Tensor[] => {
  if (bytes.length === 0) {
    throw invalidInput('the body is empty: expected a .npz file, as np.savez writes it');
  }
  if (!startOf(bytes).startsWith('PK')) throw notNpz(bytes);
  const members = readZip(bytes, MAX_UNPACKED_BYTES);
  const names = inputs.map(({ name }) => memberOf(name));
  const call = `np.savez(file, **{${inputs.map(({ name }) => `${JSON.stringify(name)}: ...`).join(', ')}})`;
  const unknown = [...members.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalidInput(
      `the zip has ${describeValue(unknown)}, which is no input of the model: it should have ${names.join(', ')}, as ${call} writes it`,
    );
  }
  return inputs.flatMap((spec) => {
    const member = members.get(memberOf(spec.name));
    if (member !== undefined) return decodeNpy(member, [spec], memberOf(spec.name));
    throw invalidInput(
      `the zip lacks ${memberOf(spec.name)} for input ${spec.name}: it should have ${names.join(', ')}, as ${call} writes it`,
    );
  });
};

const notNpz = (bytes: Uint8Array) => {
  const start = startOf(bytes);
  const hint = start.startsWith('\x93NUMPY') ? ' (it looks like .npy: send that as application/x-npy)' : '';
  return invalidInput(
    `the body should be a .npz file, as np.savez writes it, but starts with ${describeValue(start)}${hint}`,
  );
};

const startOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 8)).toString('latin1');

/** The outputs by name, not compressed, for `np.load`. */
export const encodeNpz = (outputs: readonly Tensor[]): Uint8Array =>
  writeZip(new Map(outputs.map((output) => [memberOf(output.name), encodeNpy([output])])));

const memberOf = (name: string): string => `${name}.npy`;
