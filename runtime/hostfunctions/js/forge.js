// The two globals through which app code reaches the platform, and `fetch`.
//
// Follows: what the published packages read and call: `__forge_fetch__(meta, path, init)` answers a
// fetch Response; `__forge_runtime__` holds who runs what, where, and never a credential. The
// request is put together as the Fetch Standard's Request does it, so a bad header, or a body on
// GET, fails here as it would there.
// Differs: `proxy.token` is empty and `kvs` is undefined always; `featureFlags` knows no flag;
// metrics count nothing; only `fpp` calls to Jira and calls of remotes are emulated, every other call
// is refused by an error with code NOT_EMULATED that names what is missing.
(host) => {
  const { Promise, Request, Response, TextDecoder, TypeError, Uint8Array } = globalThis;
  const { parse, stringify } = JSON;
  const bodyless = [204, 205, 304];
  const reasons = new Map([
    [200, "OK"],
    [201, "Created"],
    [202, "Accepted"],
    [204, "No Content"],
    [303, "See Other"],
    [400, "Bad Request"],
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [404, "Not Found"],
    [405, "Method Not Allowed"],
    [409, "Conflict"],
    [412, "Precondition Failed"],
    [413, "Payload Too Large"],
    [415, "Unsupported Media Type"],
    [429, "Too Many Requests"],
    [500, "Internal Server Error"],
    [501, "Not Implemented"],
    [503, "Service Unavailable"],
  ]);
  const expose = (name, value) =>
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    });

  const capabilities = {
    kvs: "the key-value store (@forge/kvs)",
    sql: "Forge SQL (@forge/sql)",
    os: "the object store (@forge/object-store)",
    llm: "Forge LLMs (@forge/llm)",
    realtime: "realtime channels (@forge/realtime)",
    tpp: "external authentication (withProvider)",
    fcc: "containers (invokeService)",
    emails: "e-mail (sendEmail)",
    stargate:
      "the GraphQL gateway (storage, queues, web trigger URLs, privacy reports, requestGraph)",
    confluence: "Confluence",
    bitbucket: "Bitbucket",
  };

  function coded(code, message) {
    const error = new Error(message);
    error.code = code;
    return error;
  }

  function notEmulated(what) {
    return coded(
      "NOT_EMULATED",
      `Not emulated yet: ${capabilities[what] ?? `calls of the kind '${what}'`}.`,
    );
  }

  // -------------------------------------------------------------------------------
  // __forge_runtime__
  const runtime = {};
  const nothing = () => {};
  const metrics = Object.freeze({
    counter: () => ({ incr: nothing, incrBy: nothing, decr: nothing, decrBy: nothing }),
    timing: () => ({ measure: () => ({ stop: nothing }) }),
    gauge: () => ({ set: nothing }),
  });

  // The object stays the same for good: packages may keep it from load time on.
  function fill(given, startedAt) {
    for (const key of Object.keys(runtime)) delete runtime[key];
    const { lambdaContext = {}, proxy = {}, ...rest } = given;
    const { remainingTimeInMillis = 25000, ...ids } = lambdaContext;
    Object.assign(runtime, rest, {
      metrics,
      featureFlags: () => false,
      proxy: { token: "", url: proxy.url ?? "" },
      lambdaContext: {
        ...ids,
        getRemainingTimeInMillis: () =>
          Math.max(0, remainingTimeInMillis - (host.now() - startedAt)),
      },
    });
    delete runtime.kvs;
  }

  fill({}, 0);
  host.onStart((start) => fill(start.extra?.runtime ?? {}, start.now));

  // --------------------------------------------------------------------------------------- the
  // door
  function responseOf({
    status,
    statusText = reasons.get(status) ?? "",
    headers = [],
    body = "",
    bodyEncoding,
    url,
    redirected,
  }) {
    const content = bodyEncoding === "base64" ? Uint8Array.fromBase64(body) : body;
    const response = new Response(bodyless.includes(status) ? null : content, {
      status,
      statusText,
      headers,
    });
    if (!headers.some(([name]) => name.toLowerCase() === "content-type"))
      response.headers.delete("content-type");
    if (url !== undefined) {
      Object.defineProperty(response, "url", { value: url, configurable: true });
      Object.defineProperty(response, "redirected", { value: redirected, configurable: true });
    }
    return response;
  }

  const aborted = (signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });

  async function throughDoor(name, message, signal) {
    signal?.throwIfAborted();
    const answer = host.door(name, stringify(message));
    const reply = parse(await (signal ? Promise.race([answer, aborted(signal)]) : answer));
    if (reply.error) throw coded(reply.error.code, reply.error.message);
    return responseOf(reply);
  }

  const anywhere = new Request("https://app.invalid/"); // the product's origin is the host's business

  // A body as text if it is text, which is the common case and cheap, else as bytes.
  async function wireBody(request, given) {
    if (typeof given === "string") return { body: given.toWellFormed() };
    const bytes = await request.bytes();
    try {
      return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
    } catch {
      return { body: bytes.toBase64(), bodyEncoding: "base64" };
    }
  }

  const bodyOf = (input, request) =>
    input instanceof Request && input !== anywhere ? request.body : null;

  // Method, headers and body, checked and completed as fetch does it.
  async function outgoing(input, init) {
    const request = new Request(input, init ?? {});
    const { url, method, redirect } = request;
    const message = { url, method, headers: [...request.headers], redirect };
    const given = init?.body ?? bodyOf(input, request);
    return given === null ? message : { ...message, ...(await wireBody(request, given)) };
  }

  async function toJira({ provider, accountId, remote }, path, init) {
    const { url, redirect, ...message } = await outgoing(anywhere, init);
    return throughDoor(
      "requestJira",
      { path: `${path}`, ...message, provider, accountId, remote },
      init?.signal,
    );
  }

  // As fetch does it: what left no answer is a TypeError, and its cause says why.
  async function fetch(input, init = undefined) {
    const message = await outgoing(input, init);
    try {
      return await throughDoor("fetch", message, init?.signal ?? input?.signal);
    } catch (cause) {
      throw cause?.code === "FETCH_FAILED" ? new TypeError("fetch failed", { cause }) : cause;
    }
  }

  // A redirect is an error at a remote whatever `redirect` says; where the remote is, is the host's
  // business.
  async function toRemote({ remote }, path, init) {
    const { url, redirect, ...message } = await outgoing(anywhere, init);
    return throughDoor(
      "invokeRemote",
      { path: `${path}`, ...message, remote: `${remote}` },
      init?.signal,
    );
  }

  // A context stands for its product, whatever product is named beside it; the host knows whether
  // it is the installation's own.
  function remoteOf({ remote, contextAri }) {
    if (contextAri === undefined) return remote;
    return `${contextAri}`.startsWith("ari:") ? `${contextAri}` : undefined;
  }

  expose("__forge_fetch__", async (meta, path, init) => {
    const type = meta?.type;
    if (type === "egress") return fetch(path, init);
    if (type === "frc") return toRemote(meta, path, init);
    if (type !== "fpp") throw notEmulated(type);
    const remote = remoteOf(meta);
    if (remote === undefined) {
      throw coded("NOT_EMULATED", "Not emulated yet: a call for no product and no site.");
    }
    if (remote !== "jira" && !`${remote}`.startsWith("ari:")) throw notEmulated(remote);
    return toJira({ ...meta, remote }, path, init);
  });
  expose("__forge_runtime__", runtime);
  expose("fetch", fetch);
}
