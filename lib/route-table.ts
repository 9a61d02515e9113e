/** A method and a path, in API Gateway's words: `POST /models/{model}/invoke`, or `$default` for whatever is left. */
interface Routed {
  readonly routeKey: string;
}

export interface Match<Route> {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request as an HTTP API does: in the decoded path, so that `%2F` is a slash as any other; literal
 * segments before `{variables}`; each takes one segment.
 */
export const createRouteTable = <Route extends Routed>(routes: readonly Route[]) => {
  const others = routes.find(({ routeKey }) => routeKey === DEFAULT_ROUTE);
  const parsed = routes.map((route) => {
    const [method = '', path = ''] = route.routeKey.split(' ');
    return { route, method, segments: path.split('/') };
  });
  parsed.sort((a, b) => variables(a.segments) - variables(b.segments));

  return (method: string, path: string): Match<Route> | undefined => {
    const segments = decode(path)?.split('/') ?? [];
    for (const candidate of parsed) {
      if (candidate.method !== 'ANY' && candidate.method !== method) continue;
      const pathParameters = matchSegments(candidate.segments, segments);
      if (pathParameters) return { route: candidate.route, pathParameters };
    }
    return others && { route: others, pathParameters: {} };
  };
};

/** The only route of a function URL. */
export const DEFAULT_ROUTE = '$default';

const variables = (segments: readonly string[]): number =>
  segments.filter((each) => each.startsWith('{')).length;

const matchSegments = (
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined => {
  if (pattern.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const came = segments[index] ?? '';
    if (!expected.startsWith('{')) {
      if (expected !== came) return undefined;
      continue;
    }
    if (came === '') return undefined;
    parameters[expected.slice(1, -1)] = came;
  }
  return parameters;
};

const decode = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
};
