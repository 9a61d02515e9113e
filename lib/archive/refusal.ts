import { ServingError } from '../errors.ts';

/** An artifact that is not unpacked at all; the name of an entry that is to blame is shortened, and made printable. */
export const refusal = (why: string, entry?: string): ServingError => {
  const where = entry === undefined ? '' : `entry ${JSON.stringify(entry.slice(0, 100))}: `;
  return new ServingError(
    'ModelError',
    `the artifact is refused: ${where}${why}; pack it again, for example with tar czf model.tar.gz model.onnx`,
  );
};
