/**
 * Rendezvous (highest random weight) hashing: every group gets a score for the model, and the highest wins.
 * When a group joins or leaves, only the models that it wins or held move; no ring, no table, no state.
 * Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.
 */
export const rankGroups = (model: string, groups: readonly string[]): readonly string[] => {
  const modelHash = fnv1a(model);
  return groups
    .map((group) => ({ group, score: mix(modelHash ^ mix(fnv1a(group))) }))
    .sort((a, b) => b.score - a.score || (a.group < b.group ? -1 : 1))
    .map(({ group }) => group);
};

/** FNV-1a, 32 bits, over UTF-16 code units. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
};

/** MurmurHash3's finaliser: FNV alone leaves similar names with similar scores. */
const mix = (value: number): number => {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
