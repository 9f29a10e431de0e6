// The platform's globals for app code that runs in a plain Node process, outside of the sandbox:
//
//   node --require forge_outside.cjs app.js
//
// with the environment that `firebrick session open` prints. Every call goes to the Forge proxy of
// a running `firebrick serve`, which decides as it does for apps in the sandbox. The process holds
// one credential, the proxy token of this invocation; access tokens stay behind the proxy.
//
// Follows: what the published packages read and call (`__forge_fetch__`, `__forge_runtime__`,
// `fetch`), and the proxy's HTTP form.
// Differs: `fetch` reaches only what the manifest declares, as in the sandbox, but nothing keeps
// the process from opening sockets of its own; metrics count nothing; `featureFlags` knows no flag.
"use strict";

const { FORGE_PROXY_URL: origin, FORGE_PROXY_TOKEN: token, FORGE_RUNTIME: given } = process.env;
if (!origin || !token || !given) {
  throw new Error(
    "FORGE_PROXY_URL, FORGE_PROXY_TOKEN and FORGE_RUNTIME must be set: " +
      'eval "$(firebrick session open)", or firebrick run.',
  );
}

// The client of this module; app code gets another `fetch`.
const send = globalThis.fetch;
const { Headers, Request, Response, TextEncoder, URL } = globalThis;
const startedAt = Date.now();

const coded = (code, message) => Object.assign(new Error(message), { code });

const notEmulated = (what) => coded("NOT_EMULATED", `Not emulated yet: calls of the kind '${what}'.`);

// A path or an address as a header value: what a header cannot hold is escaped as UTF-8, so that
// the proxy sees, and refuses, what the app wrote.
function headerText(text) {
  let escaped = "";
  for (const byte of new TextEncoder().encode(`${text}`)) {
    const plain = byte > 0x20 && byte < 0x7f;
    escaped += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

// Headers of the connection to the proxy: this process's, not the app's.
const transport = [
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const anywhere = "https://app.invalid/"; // a place for fetch's own checks of a request; never asked

// One request to the proxy. It does not follow redirects: they would take the token elsewhere.
async function throughProxy(path, target, input, init, more = {}) {
  const asked = new Request(input, init);
  const headers = new Headers(asked.headers);
  for (const name of [...headers.keys()]) {
    if (name.startsWith("forge-proxy-") || transport.includes(name)) headers.delete(name);
  }
  headers.set("forge-proxy-authorization", `Bearer ${token}`);
  headers.set("forge-proxy-target", headerText(target));
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const body = asked.body === null ? undefined : await asked.arrayBuffer();
  const { method, signal } = asked;
  return send(new URL(path, origin), { method, headers, body, signal, redirect: "manual" });
}

// A context stands for its product, whatever product is named beside it.
function placeOf({ remote, contextAri }) {
  if (contextAri !== undefined && `${contextAri}`.startsWith("ari:")) {
    return `contextAri/${encodeURIComponent(contextAri)}`;
  }
  if (contextAri === undefined && remote === "jira") return "remote/jira";
  if (contextAri === undefined && remote !== undefined) throw notEmulated(remote);
  throw coded("NOT_EMULATED", "Not emulated yet: a call for no product and no site.");
}

function providerPath(meta) {
  const { provider, accountId } = meta;
  const account =
    provider === "user" && accountId !== undefined ? `/account/${encodeURIComponent(accountId)}` : "";
  return `/fpp/provider/${encodeURIComponent(provider)}/${placeOf(meta)}${account}`;
}

const nullBody = [101, 204, 205, 304];

// What came from outside, with the address it came from.
async function outsideResponse(answer) {
  const headers = new Headers(answer.headers);
  const url = headers.get("forge-proxy-url") ?? "";
  const redirected = headers.has("forge-proxy-redirected");
  const hop = ["forge-proxy-url", "forge-proxy-redirected", "content-length"];
  for (const name of hop) headers.delete(name);
  const { status, statusText } = answer;
  const body = nullBody.includes(status) ? null : await answer.arrayBuffer();
  const response = new Response(body, { status, statusText, headers });
  Object.defineProperty(response, "url", { value: url, configurable: true });
  Object.defineProperty(response, "redirected", { value: redirected, configurable: true });
  return response;
}

// As fetch does it: what left no answer is a TypeError, and its cause says why.
async function fetchOutside(input, init = undefined) {
  const asked = new Request(input, init);
  const more = { "forge-proxy-redirect": asked.redirect };
  const answer = await throughProxy("/egress", asked.url, asked, undefined, more);
  if (answer.headers.get("forge-proxy-error") !== "FUNCTION_FETCH_ERR") {
    return outsideResponse(answer);
  }
  const { code, message } = await answer.json();
  const cause = coded(code, message);
  throw code === "FETCH_FAILED" ? new TypeError("fetch failed", { cause }) : cause;
}

const nothing = () => {};
const metrics = Object.freeze({
  counter: () => ({ incr: nothing, incrBy: nothing, decr: nothing, decrBy: nothing }),
  timing: () => ({ measure: () => ({ stop: nothing }) }),
  gauge: () => ({ set: nothing }),
});

const { lambdaContext, ...facts } = JSON.parse(given);
const { remainingTimeInMillis, ...ids } = lambdaContext;
const runtime = {
  ...facts,
  metrics,
  featureFlags: () => false,
  proxy: { token: "", url: origin, host: "" },
  lambdaContext: {
    ...ids,
    getRemainingTimeInMillis: () => Math.max(0, startedAt + remainingTimeInMillis - Date.now()),
  },
};

async function forgeFetch(meta, path, init) {
  const type = meta?.type;
  if (type === "egress") return fetchOutside(path, init);
  if (type !== "fpp") throw notEmulated(type);
  return throughProxy(providerPath(meta), path, anywhere, init);
}

const expose = (name, value) =>
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  });

expose("__forge_runtime__", runtime);
expose("__forge_fetch__", forgeFetch);
expose("fetch", fetchOutside);
