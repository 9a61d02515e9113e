import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';

export interface LateContext {
  /** A handler that notes each call, and runs `before` ahead of it. */
  readonly aroundCalls: <Event, Result>(
    handle: (event: Event) => Promise<Result>,
    before: () => void,
  ) => (event: Event, context: Context) => Promise<Result>;
  /** The logger, with the context of the call that is running in what it writes. */
  readonly logger: () => Logger;
}

/**
 * Lambda's context in what is logged, put there when something is: few calls write a line, and Powertools' own middleware takes a tenth
 * of a router's time (docs/performance.md).
 */
export const lateContext = (logger: Logger): LateContext => {
  let running: Context | undefined;
  let written: Context | undefined;
  const write = (): Logger => {
    if (running !== undefined && written !== running) logger.addContext(running);
    written = running;
    return logger;
  };
  const noteCall = (context: Context): void => {
    const isFirst = running === undefined;
    running = context;
    // Powertools takes the first context that it sees for that of a cold start.
    if (isFirst) write();
  };
  return {
    aroundCalls: (handle, before) => (event, context) => {
      noteCall(context);
      before();
      return handle(event);
    },
    logger: write,
  };
};
