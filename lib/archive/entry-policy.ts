/** What a tar header says of an entry. */
export interface Entry {
  readonly path: string;
  /** tar's own word: `File`, `Directory`, `SymbolicLink`, `Link`, ... */
  readonly type: string;
  readonly sizeBytes: number;
}

export interface ArchiveLimits {
  readonly maxUnpackedBytes: number;
  readonly maxEntries: number;
}

const PLAIN_TYPES = new Set(['File', 'OldFile', 'ContiguousFile']);
const MAX_PATH_LENGTH = 512;
/** The file systems' own bound on one part of a path, in bytes (NAME_MAX). */
const MAX_SEGMENT_BYTES = 255;

/** Where an entry goes: segments below the target, or nothing for a folder (folders are made as files need them). */
export type Verdict =
  | { readonly write: readonly string[] }
  | { readonly skip: true }
  | { readonly refuse: string };

/**
 * Judges the entries of one archive, in order. Refuses, never repairs: an archive with one bad entry is not unpacked
 * at all. Names that differ only in case are one file on some systems, so they count as duplicates.
 */
export const createEntryPolicy = ({ maxUnpackedBytes, maxEntries }: ArchiveLimits) => {
  const files = new Set<string>();
  const folders = new Set<string>();
  let unpackedBytes = 0;
  let entries = 0;

  return (entry: Entry): Verdict => {
    entries += 1;
    if (entries > maxEntries) return { refuse: `the archive has more than ${maxEntries} entries` };
    const segments = safeSegments(entry.path);
    if (typeof segments === 'string') return { refuse: segments };
    if (entry.type === 'Directory' || entry.type === 'GNUDumpDir') return { skip: true };
    if (!PLAIN_TYPES.has(entry.type))
      return { refuse: `it is a ${entry.type}, and only plain files are unpacked${hintFor(entry.type)}` };

    if (segments.length === 0) return { refuse: 'it has no name' };

    if (!Number.isSafeInteger(entry.sizeBytes) || entry.sizeBytes < 0)
      return { refuse: 'its size is no size' };
    unpackedBytes += entry.sizeBytes;
    if (unpackedBytes > maxUnpackedBytes)
      return { refuse: `the archive unpacks to more than ${maxUnpackedBytes} bytes` };
    return claim(segments);
  };

  function claim(segments: readonly string[]): Verdict {
    const keys = segments.map((_, index) =>
      segments
        .slice(0, index + 1)
        .join('/')
        .toLowerCase(),
    );
    const own = keys.at(-1) ?? '';
    if (files.has(own))
      return { refuse: 'another entry has the same name (upper and lower case count as the same)' };
    if (folders.has(own)) return { refuse: 'another entry has it as a folder' };
    const parents = keys.slice(0, -1);
    if (parents.some((parent) => files.has(parent)))
      return { refuse: 'another entry has its folder as a file' };
    files.add(own);
    for (const parent of parents) folders.add(parent);
    return { write: segments };
  }
};

const hintFor = (type: string): string =>
  type.endsWith('Link') ? ' (tar czhf packs what links point to)' : '';

/** @returns the path's segments, or what is wrong with it */
const safeSegments = (path: string): readonly string[] | string => {
  if (path.length > MAX_PATH_LENGTH) return `its name is longer than ${MAX_PATH_LENGTH} characters`;
  if (path.startsWith('/') || /^[a-zA-Z]:/.test(path)) return 'its path is absolute';
  if (path.includes('\\')) return 'its path has a backslash';
  if (/\p{Cc}/u.test(path)) return 'its path has control characters';
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)) {
    return `a part of its path is longer than ${MAX_SEGMENT_BYTES} bytes`;
  }
  return segments.includes('..') ? 'its path leaves the archive with ".."' : segments;
};
