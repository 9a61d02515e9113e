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
  const byLength = Map.groupBy(parsed, ({ segments }) => segments.length);

  return (method: string, path: string): Match<Route> | undefined => {
    const segments = decode(path)?.split('/') ?? [];
    for (const candidate of byLength.get(segments.length) ?? []) {
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

/** Of as many segments as the pattern has. */
const matchSegments = (
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined => {
  const fits = pattern.every((expected, index) =>
    expected.startsWith('{') ? segments[index] !== '' : expected === segments[index],
  );
  if (!fits) return undefined;
  const parameters: Record<string, string> = {};
  pattern.forEach((expected, index) => {
    if (expected.startsWith('{')) parameters[expected.slice(1, -1)] = segments[index] ?? '';
  });
  return parameters;
};

const decode = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
};
