/** Tells of each kind of failure once: what fails once per printed line must not flood whoever listens. */
export const createReportOnce = (
  onError: (error: unknown) => void,
): ((kind: string, message: string) => void) => {
  const reported = new Set<string>();
  return (kind, message) => {
    if (reported.has(kind)) return;
    reported.add(kind);
    onError(new Error(message));
  };
};
