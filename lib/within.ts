/** What the work gives, or nothing when the time is up first; the work goes on then. Its failure is thrown. */
export const within = async <T>(timeMs: number, work: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeMs);
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
    // Nobody listens any more when time was up.
    work.catch(() => undefined);
  }
};
