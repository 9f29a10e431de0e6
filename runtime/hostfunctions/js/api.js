// The emulator's stand-in for `@forge/api`, for apps that bring no packages of their own.
//
// Follows: the exports, calls and errors of @forge/api 8.3.0 as measured, written on the platform's
// two globals. Whatever is not emulated is there to be imported and throws NotEmulatedError when
// called.
// Differs: also exports what older versions had (`storage`, `startsWith`, `InvocationError`), so
// that an import of it fails when it is used and says why; `permissions.canFetchFrom` and
// `canLoadResource` are not emulated, and `hasPermission` decides `scopes` only.
import { checked, InvalidRemoteError, missing, NotEmulatedError } from "firebrick:errors";
import {
  assumeTrustedRoute,
  requireSafeUrl,
  route,
  routeFromAbsolute,
  unwrapped,
} from "firebrick:route";
import { authorize } from "firebrick:authorize";

export {
  ExternalEndpointNotAllowedError,
  FetchError,
  FUNCTION_ERR,
  HttpError,
  InvalidWorkspaceRequestedError,
  isExpectedError,
  isForgePlatformError,
  isHostedCodeError,
  NeedsAuthenticationError,
  NotAllowedError,
  ProductEndpointNotAllowedError,
  ProxyRequestError,
  RequestProductNotAllowedError,
} from "firebrick:errors";
export { InvocationError } from "@forge/events";
export { assumeTrustedRoute, authorize, route, routeFromAbsolute };

const send = async (meta, path, init) =>
  checked(await globalThis.__forge_fetch__(meta, path, init));

// A wrong kind of path throws at once, not through the promise.
const requester = (meta) => (path, init) => send(meta, requireSafeUrl(path).value, init);

const productsOf = (base) => ({
  requestJira: requester({ ...base, remote: "jira" }),
  requestConfluence: requester({ ...base, remote: "confluence" }),
  requestBitbucket: requester({ ...base, remote: "bitbucket" }),
});

// With a context there is no product in the call: the platform takes it from the context alone.
const inContext = (base) => (contextAri) => {
  const request = requester({ ...base, contextAri });
  return { requestJira: request, requestConfluence: request, requestBitbucket: request };
};

function gatewayOf(base) {
  const meta = { ...base, remote: "stargate" };
  const post = (path, body, headers) =>
    send(meta, path, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    requestGraph: (query, variables, headers) => post("/graphql", { query, variables }, headers),
    requestConnectedData: (path, init) =>
      send(meta, `/connected-data${requireSafeUrl(path).value}`, init),
    requestAtlassian: requester(meta),
  };
}

export function asUser(accountId) {
  const base = { type: "fpp", provider: "user", accountId };
  return {
    ...productsOf(base),
    ...gatewayOf(base),
    requestTeamworkGraph: missing("the Teamwork Graph"),
    withProvider() {
      throw new NotEmulatedError("external authentication (withProvider)");
    },
    withContext: inContext(base),
  };
}

export function asApp() {
  const base = { type: "fpp", provider: "app" };
  return { ...productsOf(base), ...gatewayOf(base), withContext: inContext(base) };
}

export const { requestJira, requestConfluence, requestBitbucket } = productsOf({
  type: "fpp",
  provider: "none",
});

export const fetch = (input, init) => globalThis.fetch(unwrapped(input), init);

const requirePath = (name, options) => {
  if (!options.path) throw new Error(`Missing or empty path provided to ${name}`);
};
export async function invokeRemote(remote, options) {
  const { path, ...init } = options;
  if (!remote) throw new Error("Missing remote key provided to invokeRemote");
  requirePath("invokeRemote", options);
  const response = await globalThis.__forge_fetch__({ type: "frc", remote }, path, init);
  if (response.headers.get("forge-proxy-error") === "INVALID_REMOTE") {
    throw new InvalidRemoteError(`Invalid remote key provided: "${remote}"`, remote);
  }
  return checked(response);
}
export async function invokeService(service, options) {
  if (!service) throw new Error("Missing service key provided to invokeService");
  requirePath("invokeService", options);
  throw new NotEmulatedError("containers (invokeService)");
}

export function __getRuntime() {
  const runtime = globalThis.__forge_runtime__;
  if (!runtime) throw new Error("Forge runtime not found.");
  return runtime;
}

const ari = (kind, name, id, path = id) => {
  const text = `ari:cloud:ecosystem::${kind}/${path}`;
  return { [name]: id, toString: () => text, toJSON: () => text };
};

export function getAppContext() {
  const { appContext: app, lambdaContext } = __getRuntime();
  return {
    appAri: ari("app", "appId", app.appId),
    appVersion: app.appVersion,
    environmentAri: ari(
      "environment",
      "environmentId",
      app.environmentId,
      `${app.appId}/${app.environmentId}`,
    ),
    environmentType: app.environmentType,
    installationAri: ari("installation", "installationId", app.installationId),
    invocationId: app.invocationId,
    invocationRemainingTimeInMillis: lambdaContext.getRemainingTimeInMillis,
    moduleKey: app.moduleKey,
    license: app.license,
    installation: app.installation,
    permissions: {
      scopes: app.permissions?.scopes ?? [],
      external: app.permissions?.external ?? {},
    },
  };
}

// A guest serves one invocation, so every function is bound to it already.
export const bindInvocationContext = (fn) => fn;

const grantedScopes = () => __getRuntime().appContext.permissions?.scopes ?? [];

function hasPermission(required) {
  const unknown = Object.keys(required).filter((key) => key !== "scopes" && key !== "external");
  if (unknown.length > 0) {
    throw new Error(
      `Invalid permission key(s): ${unknown.join(", ")}. ` +
        "Visit https://go.atlassian.com/forge-permissions for more information.",
    );
  }
  if (required.external !== undefined)
    throw new NotEmulatedError("hasPermission for external permissions");
  const { scopes = [] } = required;
  if (!Array.isArray(scopes))
    throw new TypeError(`scopes should be an array, not a ${typeof scopes}`);
  const lacking = scopes.filter((scope) => !grantedScopes().includes(scope));
  return lacking.length > 0 ? { granted: false, missing: { scopes: lacking } } : { granted: true };
}

const undecided = (what) => () => {
  throw new NotEmulatedError(what);
};

export const permissions = {
  hasPermission,
  hasScope: (scope) => grantedScopes().includes(scope),
  canFetchFrom: undecided("permissions.canFetchFrom"),
  canLoadResource: undecided("permissions.canLoadResource"),
};

export const webTrigger = {
  getUrl: missing("web trigger URLs (webTrigger.getUrl)"),
  deleteUrl: missing("web trigger URLs (webTrigger.deleteUrl)"),
  queryUrls: missing("web trigger URLs (webTrigger.queryUrls)"),
};
export const privacy = {
  reportPersonalData: missing("privacy reports (privacy.reportPersonalData)"),
};
export const i18n = {
  createTranslationFunction: missing("translations (i18n.createTranslationFunction)"),
  getTranslations: missing("translations (i18n.getTranslations)"),
};

const stored = missing("app storage (storage)");
export const storage = {
  get: stored,
  set: stored,
  delete: stored,
  getSecret: stored,
  setSecret: stored,
  deleteSecret: stored,
  query() {
    throw new NotEmulatedError("app storage (storage.query)");
  },
  entity() {
    throw new NotEmulatedError("app storage (storage.entity)");
  },
};
export const startsWith = (value) => ({ condition: "STARTS_WITH", value });

const unsafe = (meta) => (path, init) => globalThis.__forge_fetch__(meta, path, init);
export const __fetchProduct = (meta) => (path, init) => send({ ...meta, type: "fpp" }, path, init);
export const __requestAtlassianAsApp = unsafe({ type: "fpp", provider: "app", remote: "stargate" });
export const __requestAtlassianAsUser = unsafe({
  type: "fpp",
  provider: "user",
  remote: "stargate",
});
export const createRequestStargateAsApp = () => __requestAtlassianAsApp;

export default {
  fetch,
  requestJira,
  requestConfluence,
  requestBitbucket,
  asUser,
  asApp,
  invokeRemote,
  invokeService,
};
