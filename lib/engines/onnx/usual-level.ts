import { readFileSync } from 'node:fs';

/** Of an artifact's files together. */
const SMALL_BYTES = 64 * 1024;

/**
 * How far onnxruntime optimizes a model that does not say. What the levels beyond `basic` can fuse in a few thousand weights saves no time (three
 * models of examples/sklearn: 6 to 9 us a run at every level), while looking for it takes 32 KiB of memory that each session keeps, and a third of
 * the time to open it. But convolutions, which compute much with few weights, may get another layout only at `all`.
 * @param filesBytes of the whole artifact; 0 for a part of one, whose size nobody has said
 */
export const usualLevel = (file: string, filesBytes: number): 'basic' | 'all' => {
  if (filesBytes === 0 || filesBytes > SMALL_BYTES) return 'all';
  try {
    return readFileSync(file).includes('Conv') ? 'all' : 'basic';
  } catch {
    // What is wrong with the file, onnxruntime says.
    return 'all';
  }
};
