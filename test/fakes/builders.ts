import type { Routes } from '../../lib/catalog/routes.ts';
import { deployedEndpoint, type Endpoints } from '../../lib/endpoints/endpoint.ts';
import type { InferenceCall } from '../../lib/protocol/envelope.ts';
import type { HttpRequest } from '../../lib/protocol/http.ts';

export const routes = (overrides: Partial<Routes> = {}): Routes => ({
  epoch: 1,
  coldGroups: ['cold-00', 'cold-01', 'cold-02', 'cold-03'],
  hot: new Map(),
  ...overrides,
});

export const call = (overrides: Partial<InferenceCall> = {}): InferenceCall => ({
  model: 'm.tar.gz',
  contentType: 'application/json',
  accept: undefined,
  body: '[[1]]',
  isBase64Encoded: false,
  ...overrides,
});

export const httpRequest = (overrides: Partial<HttpRequest> = {}): HttpRequest => ({
  routeKey: 'POST /endpoints/{EndpointName}/invocations',
  headers: { 'content-type': 'application/json', 'x-amzn-sagemaker-target-model': 'm.tar.gz' },
  pathParameters: { EndpointName: 'mme' },
  body: '[[1]]',
  isBase64Encoded: false,
  requestContext: { requestId: 'request-1' },
  ...overrides,
});

/** A deployment with its own endpoint only. */
export const oneEndpoint = (own: string): Endpoints => ({
  own,
  find: async (name) => (name === own ? deployedEndpoint(own) : undefined),
});
