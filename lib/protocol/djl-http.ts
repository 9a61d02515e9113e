import { type ServingError, STATUS } from '../errors.ts';
import type { Door } from './door.ts';
import { jsonResponse } from './http.ts';
import { parsePathName } from './path-name.ts';

/**
 * DJL Serving's inference API, `POST /predictions/{model}` (inference_api.md), and that of MME containers, `POST
 * /models/{name}/invoke`: the body as for SageMaker.
 */
export const djlDoor: Door = {
  routeKeys: ['POST /predictions/{model}', 'POST /models/{model}/invoke'],
  openRouteKeys: [],

  parse: ({ pathParameters, headers, body = '', isBase64Encoded }) => ({
    kind: 'call',
    call: {
      model: parsePathName(pathParameters?.['model']),
      contentType: headers['content-type'],
      accept: headers['accept'],
      body,
      isBase64Encoded,
    },
  }),

  encodeReply: (reply, _, requestId) => ({
    statusCode: 200,
    headers: { 'content-type': reply.contentType, 'x-request-id': requestId },
    body: reply.body,
    ...(reply.isBase64Encoded && { isBase64Encoded: true }),
  }),

  encodeError: (error, requestId) => {
    const code = statusOf(error);
    return jsonResponse(
      code,
      { code, type: error.code, message: error.message },
      {
        'x-request-id': requestId,
        ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
      },
    );
  },
};

/** As NettyUtils.sendError has them: 404 for a model that is not there, 503 when there is no worker. */
const statusOf = ({ code, message }: ServingError): number => {
  if (code === 'ValidationError') return message.includes('not found') ? 404 : 400;
  if (code === 'ThrottlingException' || code === 'ModelNotReadyException') return 503;
  return code === 'ModelError' ? 500 : STATUS[code];
};
