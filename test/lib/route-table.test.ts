import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../lib/route-table.ts';

const find = createRouteTable(
  ['POST /endpoints/{EndpointName}/invocations', 'GET /ping', 'GET /{anything}'].map((routeKey) => ({
    routeKey,
  })),
);

describe('createRouteTable', () => {
  it('gives the variables of a path, decoded as an HTTP API does', () => {
    const match = find('POST', '/endpoints/a%20b%7E1/invocations');

    expect(match?.route.routeKey).toBe('POST /endpoints/{EndpointName}/invocations');
    expect(match?.pathParameters).toEqual({ EndpointName: 'a b~1' });
  });

  it('prefers a literal path to a variable', () => {
    expect(find('GET', '/ping')?.route.routeKey).toBe('GET /ping');
    expect(find('GET', '/pong')?.route.routeKey).toBe('GET /{anything}');
  });

  it('takes what is left by $default', () => {
    const all = createRouteTable([{ routeKey: '$default' }, { routeKey: 'GET /ping' }]);
    expect(all('GET', '/ping')?.route.routeKey).toBe('GET /ping');
    expect(all('PUT', '/a/b')).toEqual({ route: { routeKey: '$default' }, pathParameters: {} });
  });

  it.each([
    ['POST', '/ping'],
    ['POST', '/endpoints/mme'],
    ['POST', '/endpoints//invocations'],
    ['POST', '/endpoints/%zz/invocations'],
    ['POST', '/endpoints/mme/invocations/'],
    // An escaped slash is decoded before a route is looked for.
    ['POST', '/endpoints/a%2Fb/invocations'],
  ])('knows no %s %s', (method, path) => {
    expect(find(method, path)).toBeUndefined();
  });
});
