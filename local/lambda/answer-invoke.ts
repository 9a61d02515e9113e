import type { InvokeCall, InvokeResult } from './lambda.ts';
import { eventTooLarge } from './lambda-error.ts';
import { MAX_EVENT_BYTES } from './limits.ts';
import type { InvokedMessage, RuntimeMessage } from './messages.ts';
import { encodeError } from './rest-api.ts';
import { encodeResult } from './rest-invoke.ts';

export interface AnsweredInvoke {
  readonly invoked: InvokedMessage;
  readonly body: string;
}

/** Answers an Invoke that comes by message as Lambda's REST API answers it over HTTP. */
export const createAnswerInvoke = (
  invoke: (call: InvokeCall) => Promise<InvokeResult>,
  onError: (error: unknown) => void,
) => {
  const run = async (
    { functionName = '', qualifier = '' }: RuntimeMessage,
    payload: string,
  ): Promise<InvokeResult> => {
    if (Buffer.byteLength(payload) > MAX_EVENT_BYTES) throw eventTooLarge(MAX_EVENT_BYTES);
    return invoke({ functionName, qualifier, payload });
  };

  return async (message: RuntimeMessage, payload: string): Promise<AnsweredInvoke> => {
    const { id = 0 } = message;
    const answer = await run(message, payload).then(encodeResult, (error: unknown) =>
      encodeError(error, onError),
    );
    const { status, headers = {}, body } = answer;
    const invoked: InvokedMessage = {
      kind: 'invoked',
      id,
      status,
      headers: { 'content-type': 'application/json', ...headers },
    };
    return { invoked, body };
  };
};
