// `route` and its relatives: helpers that keep app authors from accidents, and no defence.
//
// Follows: @forge/api 8.3.0 as measured, leaks included. In the path a parameter may not hold a
// slash, a backslash, `?`, `#`, or one of seven spellings of `..`; nothing is encoded. After the
// first literal part that holds `?` or `#`, parameters are percent-encoded. Literal parts are never
// checked, `%2E%2E` and `%2e%2E` pass, and a Route or URLSearchParams goes in raw (a Route only in
// the path). The host treats whatever comes out as untrusted text.

const refused = ["/", "\\", "?", "#", "..", ".%2e", "%2e.", "%2e%2e", ".%2E", "%2E.", "%2E%2e"];

class ReadonlyRoute {
  constructor(value) {
    this.value_ = value;
  }

  get value() {
    return this.value_;
  }

  set value(value) {
    throw new Error("modification of a Route is not allowed");
  }
}

function pathPart(parameter) {
  if (parameter instanceof ReadonlyRoute) return parameter.value;
  const text = String(parameter);
  if (!refused.some((one) => text.includes(one))) return text;
  throw new Error(
    "Disallowing path manipulation attempt. " +
      "For more information see: https://go.atlassian.com/product-fetch-api-route",
  );
}

function queryPart(parameter) {
  if (parameter instanceof URLSearchParams) return parameter.toString();
  return encodeURIComponent(parameter instanceof ReadonlyRoute ? parameter.value : parameter);
}

export function route(template, ...parameters) {
  let value = "";
  let inQuery = false;
  for (let at = 0; at < template.length; at += 1) {
    value += template[at];
    inQuery ||= template[at].includes("?") || template[at].includes("#");
    if (at >= parameters.length) break;
    value += inQuery ? queryPart(parameters[at]) : pathPart(parameters[at]);
  }
  return new ReadonlyRoute(value);
}

export const assumeTrustedRoute = (value) => new ReadonlyRoute(value);

export function routeFromAbsolute(absolute) {
  const url = new URL(absolute);
  return new ReadonlyRoute(url.pathname + url.search);
}

export function requireSafeUrl(given) {
  if (given instanceof ReadonlyRoute) return given;
  throw new Error(
    "You must create your route using the 'route' export from '@forge/api'.\n" +
      "See https://go.atlassian.com/forge-fetch-route for more information.",
  );
}

// What the plain `fetch` export does with a Route.
export const unwrapped = (given) => (given instanceof ReadonlyRoute ? given.value : given);
