/** Lambda's bound on a synchronous event, as its own message names it. */
export const MAX_EVENT_BYTES = 6_291_456;

/** Its bound on the answer: a hundred bytes more. */
export const MAX_PAYLOAD_BYTES = 6_291_556;
