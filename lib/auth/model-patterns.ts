/**
 * Whether a name matches a pattern, as IAM's StringLike has it: `*` any run of characters, `?` any one. In time of at most
 * name times pattern, whatever the pattern: it goes back to the last star only.
 */
export const matchesPattern = (name: string, pattern: string): boolean => {
  let [at, next] = [0, 0];
  let star: { readonly next: number; at: number } | undefined;
  while (at < name.length) {
    if (pattern[next] === '*') {
      star = { next: next + 1, at };
      next++;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === name[at])) {
      at++;
      next++;
    } else if (star !== undefined) {
      star.at++;
      at = star.at;
      next = star.next;
    } else {
      return false;
    }
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
};

export const matchesAny = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesPattern(name, pattern));
