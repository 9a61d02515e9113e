import type { Authenticate } from '../../lib/auth/authenticate.ts';
import { authorizeManage, authorizeManageAll } from '../../lib/auth/authorize.ts';
import { toServingError } from '../../lib/errors.ts';
import type { Management } from '../../lib/management/management.ts';
import { ManagementError } from '../../lib/management/management-error.ts';
import { MANAGEMENT_ROUTES, type ManagementCall } from '../../lib/management/routes.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../../lib/protocol/http.ts';
import { parsePathName } from '../../lib/protocol/path-name.ts';
import { ControlError } from '../../lib/sagemaker/control-error.ts';
import type { createControlPlane } from '../../lib/sagemaker/control-plane.ts';

export interface ManagementFunctionDeps {
  /** Says who is calling; absent where anybody may call. */
  readonly authenticate?: Authenticate;
  readonly management: Management;
  readonly controlPlane: ReturnType<typeof createControlPlane>;
  /** The OpenAPI document. */
  readonly describeApi: () => object;
  /** Told of every failure that is not the caller's own doing. */
  readonly onFault: (error: unknown, request: HttpRequest) => void;
}

/** The part of Lambda's context that is read. */
export interface Invocation {
  readonly invokedFunctionArn?: string;
}

const CONTROL_PLANE = 'POST /';
const API_DESCRIPTION = 'GET /openapi.json';
const TARGET = 'SageMaker.';

const ROUTES = new Map(MANAGEMENT_ROUTES.map((route) => [route.key, route]));

/** HTTP request -> who asks -> management API or SageMaker's control plane -> HTTP response. */
export const createManagementFunction = (deps: ManagementFunctionDeps) => {
  const { authenticate, management, controlPlane, describeApi, onFault } = deps;

  const manage = async (request: HttpRequest): Promise<HttpResponse> => {
    const route = ROUTES.get(request.routeKey);
    if (route === undefined)
      return jsonResponse(404, restError(404, 'NotFound', `no API has ${request.routeKey}`));
    const principal = await authenticate?.(request);
    const call: ManagementCall = {
      model:
        request.pathParameters?.['model'] === undefined ? '' : parsePathName(request.pathParameters['model']),
      query: Object.fromEntries(new URLSearchParams(request.rawQueryString)),
      body: parseBody(request),
      principal,
    };
    if (principal !== undefined) authorizeManage(principal, route.about(call));
    const answer = await route.run(management, call);
    return answer === undefined
      ? { statusCode: route.status, headers: {}, body: '' }
      : jsonResponse(route.status, answer);
  };

  const failed = (error: unknown, request: HttpRequest): HttpResponse => {
    if (error instanceof ManagementError) {
      return jsonResponse(error.status, restError(error.status, error.type, error.message));
    }
    const { code, status, message, retryAfterSeconds } = toServingError(error);
    if (status >= 500) onFault(error, request);
    return jsonResponse(status, restError(status, code, message), retryAfter(retryAfterSeconds));
  };

  const control = async (request: HttpRequest, { invokedFunctionArn }: Invocation): Promise<HttpResponse> => {
    const principal = await authenticate?.(request);
    const target = request.headers['x-amz-target'] ?? '';
    const name = target.startsWith(TARGET) ? target.slice(TARGET.length) : '';
    const operation = Object.hasOwn(controlPlane, name) ? controlPlane[name] : undefined;
    if (operation === undefined) {
      throw new ControlError(
        `operation ${JSON.stringify(target.slice(0, 80))} is not served: there are ${Object.keys(controlPlane).join(', ')}`,
        'UnknownOperationException',
      );
    }
    if (principal !== undefined) authorizeManageAll(principal, name);
    return awsJson(200, await operation(parseBody(request), arnPrefixOf(invokedFunctionArn)));
  };

  const controlFailed = (error: unknown, request: HttpRequest): HttpResponse => {
    if (error instanceof ControlError) return awsJson(400, { __type: error.type, message: error.message });
    if (error instanceof ManagementError)
      return awsJson(400, { __type: 'ValidationException', message: error.message });
    const { code, status, message } = toServingError(error);
    if (status >= 500) onFault(error, request);
    return awsJson(status, { __type: code, message });
  };

  return async (request: HttpRequest, invocation: Invocation): Promise<HttpResponse> => {
    if (request.routeKey === API_DESCRIPTION) return jsonResponse(200, describeApi());
    const answered =
      request.routeKey === CONTROL_PLANE
        ? control(request, invocation).catch((error: unknown) => controlFailed(error, request))
        : manage(request).catch((error: unknown) => failed(error, request));
    const response = await answered;
    return {
      ...response,
      headers: { ...response.headers, 'x-amzn-requestid': request.requestContext.requestId },
    };
  };
};

const restError = (code: number, type: string, message: string): object => ({ code, type, message });

const awsJson = (statusCode: number, body: object): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
});

const retryAfter = (seconds: number | undefined): Readonly<Record<string, string>> =>
  seconds === undefined ? {} : { 'retry-after': String(seconds) };

/** @throws ManagementError */
const parseBody = ({ body = '', isBase64Encoded }: HttpRequest): unknown => {
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ManagementError(
      400,
      'ValidationException',
      `the body is not JSON: ${(cause as Error).message}`,
    );
  }
};

/** Things are named as SageMaker's are, in the account and region of this function. */
const arnPrefixOf = (functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:none'): string => {
  const [, partition, , region, account] = functionArn.split(':');
  return `arn:${partition}:sagemaker:${region}:${account}:`;
};
