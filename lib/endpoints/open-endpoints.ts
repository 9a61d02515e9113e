import { cachedLookup } from '../cache/cached-lookup.ts';
import type { Clock } from '../clock.ts';
import { orUnavailable } from '../errors.ts';
import { deployedEndpoint, type EndpointStore, type Endpoints } from './endpoint.ts';

export interface OpenEndpointsOptions {
  /** The deployment's own: there is no row of it, and nothing to look up. */
  readonly endpointName: string;
  readonly endpoints: EndpointStore;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** An endpoint that is deleted, or made, is noticed after this. */
const TTL_MS = 5000;

/** While the table does not answer, known endpoints are served for so long. */
const OUTAGE_MS = 3_600_000;

const MAX_ENDPOINTS = 10_000;

/** The endpoints by name, as they were some seconds ago. */
export const openEndpoints = (options: OpenEndpointsOptions): Endpoints => {
  const { endpointName, endpoints } = options;
  const own = deployedEndpoint(endpointName);
  const find = cachedLookup({
    ...options,
    find: orUnavailable(endpoints.find, 'endpoints cannot be looked up at the moment; try again'),
    ttlMs: TTL_MS,
    outageMs: OUTAGE_MS,
    maxEntries: MAX_ENDPOINTS,
  });
  return { own: endpointName, find: async (name) => (name === endpointName ? own : find(name)) };
};
