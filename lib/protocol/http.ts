import { DEFAULT_ROUTE } from '../route-table.ts';

/** The part of API Gateway's HTTP API event (payload format 2.0) that is read. Header names come in lower case. */
export interface HttpRequest {
  readonly routeKey: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly requestContext: { readonly requestId: string; readonly http?: { readonly method: string } };
}

/** A function URL's events are those of an HTTP API with this one route (Lambda developer guide, "Invoking function URLs"). */
export const isFromFunctionUrl = ({ routeKey }: HttpRequest): boolean => routeKey === DEFAULT_ROUTE;

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True when `body` is base64 of the bytes that the client is to get. */
  readonly isBase64Encoded?: true;
}

export const jsonResponse = (
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
