// The errors that `@forge/api` throws, and the one that says what this emulator does not do.
//
// Follows: names, messages, statuses and inheritance as measured on @forge/api 8.3.0.

export class NotEmulatedError extends Error {
  constructor(what) {
    super(`Not emulated yet: ${what}.`);
    this.name = "NotEmulatedError";
    this.code = "NOT_EMULATED";
  }
}

// A function that is there to be imported and says what is missing once it is called.
export const missing = (what) => async () => {
  throw new NotEmulatedError(what);
};

export class HttpError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    if (arguments.length < 2) this.status = undefined;
  }
}

export class NotAllowedError extends HttpError {
  constructor(message) {
    super(message, 403);
    this.name = "REQUEST_EGRESS_ALLOWLIST_ERR";
  }
}

export class ExternalEndpointNotAllowedError extends NotAllowedError {
  constructor(url) {
    super(
      `URL not included in the external fetch backend permissions: ${url}. ` +
        "Visit go.atlassian.com/forge-egress for more information.",
    );
  }
}

export class InvalidWorkspaceRequestedError extends NotAllowedError {
  constructor(url) {
    super(`Invalid workspace requested in URL: ${url}.`);
  }
}

export class ProductEndpointNotAllowedError extends NotAllowedError {
  constructor(url) {
    super(`URL not allowed: ${url}.`);
  }
}

export class RequestProductNotAllowedError extends NotAllowedError {
  constructor(requested, context) {
    super(`Request ${requested} is not allowed from ${context} context.`);
  }
}

export class FetchError extends Error {
  constructor(message) {
    super(message);
    this.name = "FUNCTION_FETCH_ERR";
  }
}

export class NeedsAuthenticationError extends HttpError {
  constructor(message, serviceKey, options) {
    super(message, 401);
    this.serviceKey = serviceKey;
    this.options = options;
    this.name = "NEEDS_AUTHENTICATION_ERR";
  }
}

export class InvalidRemoteError extends HttpError {
  constructor(message, remoteKey) {
    super(message, 400);
    this.remoteKey = remoteKey;
    this.name = "INVALID_REMOTE_ERR";
  }
}

export class ProxyRequestError extends HttpError {
  constructor(status, errorCode) {
    super(
      `Forge platform failed to process runtime HTTP request - ${status} - ${errorCode}`,
      status,
    );
    this.errorCode = errorCode;
    this.name = "PROXY_ERR";
  }
}

export const FUNCTION_ERR = "FUNCTION_ERR";

const platform = [
  "NEEDS_AUTHENTICATION_ERR",
  "REQUEST_EGRESS_ALLOWLIST_ERR",
  "FUNCTION_FETCH_ERR",
  "PROXY_ERR",
];
const hosted = [
  "NEEDS_AUTHENTICATION_ERR",
  "REQUEST_EGRESS_ALLOWLIST_ERR",
  "FUNCTION_FETCH_ERR",
  FUNCTION_ERR,
];

export const isForgePlatformError = (error) => platform.includes(error.name);
export const isHostedCodeError = (error) => hosted.includes(error.name);
export const isExpectedError = (error) =>
  error.name === "NEEDS_AUTHENTICATION_ERR" && error.options?.isExpectedError === true;

// An answer as app code gets it, unless the platform's proxy says that the call failed on the way.
export function checked(response) {
  const code = response.headers.get("forge-proxy-error");
  if (!code) return response;
  if (code === "NEEDS_AUTHENTICATION_ERR") {
    throw new NeedsAuthenticationError("Authentication Required", "atlassian-token-service-key");
  }
  throw new ProxyRequestError(response.status, code);
}
