// `node-fetch` for bundled apps: the door that the platform's older packages know.
//
// Follows: @forge/api 2.19 to 4 as measured: a product request is `https://<product><path>` with
// the agent FORGE_PRODUCT_REQUEST and the authorization `Forge app`, `Forge user` or `Forge none`;
// @forge/api 2.18 names its proxy's address and the header forge-proxy-target. Both become the call
// that newer packages make. Without them it is an external fetch.
// Differs: answers are the guest's own Response, with `buffer()`; their body is a web stream;
// `timeout`, `size`, `compress`, `follow` and agents of Node change nothing.
const { __forge_fetch__: callPlatform, Blob, File, FormData } = globalThis;
const outside = globalThis.fetch;

class Headers extends globalThis.Headers {
  raw() {
    return Object.fromEntries([...this].map(([name, value]) => [name, [value]]));
  }
}

class FetchError extends Error {
  constructor(message, type, cause = undefined) {
    super(message);
    this.type = type;
    if (cause?.code) this.code = this.errno = cause.code;
  }

  get name() {
    return "FetchError";
  }
}

class AbortError extends Error {
  type = "aborted";

  get name() {
    return "AbortError";
  }
}

class Response extends globalThis.Response {
  async buffer() {
    return Buffer.from(await this.arrayBuffer());
  }
}

// Keeps what it was given: here an address may be relative, and a body is read when it is sent.
class Request {
  constructor(input, init = {}) {
    const from = typeof input === "object" && input !== null && "url" in input ? input : {};
    this.url = from.url ?? `${input}`;
    this.method = `${init.method ?? from.method ?? "GET"}`.toUpperCase();
    this.headers = new Headers(init.headers ?? from.headers);
    this.body = init.body ?? from.body ?? null;
    this.redirect = init.redirect ?? from.redirect ?? "follow";
    this.signal = init.signal ?? from.signal ?? null;
    this.agent = init.agent ?? from.agent;
  }

  clone() {
    return new Request(this);
  }

  text() {
    return new Response(this.body).text();
  }

  json() {
    return new Response(this.body).json();
  }
}

// The form-data package writes its own multipart bytes.
function bodyOf(request) {
  const { body, headers } = request;
  if (typeof body?.getBuffer !== "function") return body;
  for (const [name, value] of Object.entries(body.getHeaders?.() ?? {}))
    if (!headers.has(name)) headers.set(name, value);
  return body.getBuffer();
}

function initOf(request) {
  const { method, redirect, signal } = request;
  const body = bodyOf(request);
  const headers = new Headers(request.headers);
  return { method, headers, redirect, signal, ...(body === null ? {} : { body, duplex: "half" }) };
}

const agents = {
  FORGE_PRODUCT_REQUEST(request) {
    const [, remote, path] = /^https:\/\/([^/?#]+)([^]*)$/.exec(request.url) ?? [];
    const [, provider, accountId] =
      /^Forge (app|user|none)(?: (.+))?$/.exec(request.headers.get("authorization") ?? "") ?? [];
    request.headers.delete("authorization");
    return [{ type: "fpp", provider: provider ?? "none", remote, accountId }, path];
  },
  FORGE_REMOTE_COMPUTE_REQUEST(request) {
    const { searchParams } = new URL(request.url);
    return [{ type: "frc", remote: searchParams.get("remoteKey") }, searchParams.get("path")];
  },
  EXTERNAL_AUTH_REQUEST: (request) => [{ type: "tpp" }, request.url],
};

// The wire form of @forge/api 2.18, before its agent.
function proxied(request) {
  const target = request.headers.get("forge-proxy-target");
  const [, provider, remote] = /\/fpp\/provider\/(\w+)\/remote\/(\w+)$/.exec(request.url) ?? [];
  for (const name of ["forge-proxy-target", "forge-proxy-authorization", "host"])
    request.headers.delete(name);
  return remote === undefined
    ? [{ type: "egress" }, target]
    : [{ type: "fpp", provider, remote }, target];
}

function send(request) {
  if (typeof request.agent === "string" && Object.hasOwn(agents, request.agent)) {
    const [meta, path] = agents[request.agent](request);
    return callPlatform(meta, path, initOf(request));
  }
  if (request.headers.has("forge-proxy-target")) {
    const [meta, path] = proxied(request);
    return callPlatform(meta, path, initOf(request));
  }
  return outside(request.url, initOf(request));
}

async function fetch(input, init = undefined) {
  const request = new Request(input, init ?? {});
  try {
    const response = await send(request);
    Object.defineProperty(response, "buffer", { value: Response.prototype.buffer });
    return response;
  } catch (error) {
    if (request.signal?.aborted) throw new AbortError("The user aborted a request.");
    if (!(error instanceof TypeError) || error.message !== "fetch failed") throw error;
    const message = `request to ${request.url} failed, reason: ${error.cause.message}`;
    throw new FetchError(message, "system", error.cause);
  }
}

const isRedirect = (status) => [301, 302, 303, 307, 308].includes(status);

module.exports = Object.assign(fetch, {
  default: fetch,
  fetch,
  Headers,
  Request,
  Response,
  FetchError,
  AbortError,
  isRedirect,
  Blob,
  File,
  FormData,
});
Object.defineProperty(module.exports, "__esModule", { value: true });
fetch.isRedirect = isRedirect;
