/** Whether a promise settles in time. It goes on where it does not; its failure is its owner's. */
export const settlesWithin = async (promise: Promise<unknown>, limitMs: number): Promise<boolean> => {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), limitMs);
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};
