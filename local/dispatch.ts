import type { IncomingMessage, ServerResponse } from 'node:http';

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export interface Services {
  readonly s3: Handle;
  readonly dynamodb: Handle;
  readonly lambda: Handle;
  /** CloudWatch signs for `monitoring`. */
  readonly monitoring: Handle;
  readonly ssm: Handle;
  readonly sqs: Handle;
  /** The endpoint itself: what is unsigned, or signed for `sagemaker` or `execute-api`. */
  readonly httpApi: Handle;
}

/**
 * One address for every service, as `AWS_ENDPOINT_URL` expects. AWS tells services apart by host name; here the
 * name in the signature's scope does (`.../us-east-1/s3/aws4_request`), in the header or a presigned URL.
 */
export const dispatchToServices =
  (services: Services): Handle =>
  (request, response) => {
    const service = signedService(request);
    if (service === undefined || service === 'sagemaker' || service === 'execute-api') {
      services.httpApi(request, response);
    } else if (isKnown(service)) {
      services[service](request, response);
    } else if ((request.url ?? '/').split('?', 1)[0] !== '/') {
      // The services that there are not have their calls at the root: this is one of the endpoint's, wrongly signed.
      services.httpApi(request, response);
    } else {
      refuse(service, response);
    }
  };

const KNOWN = ['s3', 'dynamodb', 'lambda', 'monitoring', 'ssm', 'sqs'] as const;
const isKnown = (service: string): service is (typeof KNOWN)[number] =>
  (KNOWN as readonly string[]).includes(service);

const SCOPE_IN_HEADER = /Credential=[^/,\s]+\/\d{8}\/[^/,\s]+\/([^/,\s]+)\/aws4_request/;
const SCOPE_IN_QUERY = /[?&]X-Amz-Credential=[^&]+?%2F\d{8}%2F[^&]+?%2F([^&%]+)%2Faws4_request/i;

/** Signature version 2, with which botocore still presigns for S3; no other service had it in the query. */
const VERSION_2_IN_QUERY = /[?&]AWSAccessKeyId=[^&]+.*&Signature=|[?&]Signature=[^&]+.*&AWSAccessKeyId=/;

export const signedService = (request: IncomingMessage): string | undefined => {
  const { authorization } = request.headers;
  if (authorization === undefined && VERSION_2_IN_QUERY.test(request.url ?? '')) return 's3';
  const scope =
    authorization === undefined
      ? SCOPE_IN_QUERY.exec(request.url ?? '')
      : SCOPE_IN_HEADER.exec(authorization);
  return scope?.[1];
};

const refuse = (service: string, response: ServerResponse): void => {
  response.writeHead(501, { 'content-type': 'application/json', 'x-amzn-errortype': 'NotImplemented' });
  response.end(
    JSON.stringify({
      message: `The local cloud has no service ${service}: it has s3, dynamodb, lambda, cloudwatch, ssm and sqs.`,
    }),
  );
};
