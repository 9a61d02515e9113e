import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Handle } from '../../dispatch.ts';
import { CloudWatchError, toCloudWatchError } from './cloudwatch-error.ts';
import { getMetricData } from './get-metric-data.ts';
import { jsonProtocol } from './json-protocol.ts';
import { listMetrics } from './list-metrics.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { Call, HttpAnswer, HttpAsked, Protocol } from './protocol.ts';
import { putMetricData } from './put-metric-data.ts';
import { queryProtocol } from './query-protocol.ts';
import { readRequestBody } from './request-body.ts';

export interface ApiOptions {
  readonly context: () => OperationContext;
  readonly onError: (error: unknown) => void;
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['PutMetricData', putMetricData],
  ['GetMetricData', getMetricData],
  ['ListMetrics', listMetrics],
]);

/** CloudWatch's API (2010-08-01) in the protocols that SDKs speak. Signatures are not verified. */
export const createApi =
  ({ context, onError }: ApiOptions): Handle =>
  (request, response) => {
    const requestId = randomUUID();
    answer(request, { context, onError, requestId })
      .then(({ status, headers, body }) => {
        const always = { 'x-amzn-requestid': requestId, 'content-length': Buffer.byteLength(body) };
        response.writeHead(status, { ...always, ...headers }).end(body);
      })
      .catch((error: unknown) => {
        onError(error);
        response.destroy();
      });
  };

interface AnswerOptions extends ApiOptions {
  readonly requestId: string;
}

const answer = async (
  request: IncomingMessage,
  { context, onError, requestId }: AnswerOptions,
): Promise<HttpAnswer> => {
  const { headers, url = '/' } = request;
  let protocol: Protocol = headers['x-amz-target'] === undefined ? queryProtocol : jsonProtocol;
  try {
    const asked = { headers, url, body: await readRequestBody(request) };
    const { call, spoken } = decode(asked);
    protocol = spoken;
    return protocol.encode(call.operation, chooseOperation(call)(call.input(), context()), requestId);
  } catch (error) {
    if (!(error instanceof CloudWatchError)) onError(error);
    return protocol.encodeError(toCloudWatchError(error), requestId);
  }
};

const decode = (asked: HttpAsked): { readonly call: Call; readonly spoken: Protocol } => {
  for (const spoken of [jsonProtocol, queryProtocol]) {
    const call = spoken.decode(asked);
    if (call !== undefined) return { call, spoken };
  }
  throw new CloudWatchError('InvalidAction', 'The local CloudWatch speaks awsJson1.0 and AWS Query.');
};

const chooseOperation = ({ operation }: Call): Operation => {
  const found = OPERATIONS.get(operation);
  if (found !== undefined) return found;
  const names = [...OPERATIONS.keys()].join(', ');
  throw new CloudWatchError('InvalidAction', `The local CloudWatch has no ${operation}: it has ${names}.`);
};
