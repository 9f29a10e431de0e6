import Resolver from "@forge/resolver";
import * as api218 from "api-2-18";
import * as api222 from "api-2-22";
import * as api3 from "api-3";
import * as api4 from "api-4";
import FormData from "form-data";
import nodeFetch, { FetchError, Headers } from "node-fetch";
import { Readable } from "readable-stream";
import http from "http";
import { readFile } from "fs/promises";
import { createHmac } from "node:crypto";
import { types } from "util";
import EventEmitter from "events";

interface Payload {
  version: "2-18" | "2-22" | "3" | "4";
  issueKey: string;
}

const apis: Record<string, any> = { "2-18": api218, "2-22": api222, "3": api3, "4": api4 };
const resolver = new Resolver();

const told = async (act: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await act();
  } catch (error) {
    const { name, message, status } = error as { name: string; message: string; status?: number };
    return { name, message, status };
  }
};

resolver.define("read", async ({ payload }: { payload: Payload }) => {
  const { default: api, route } = apis[payload.version];
  const path = route`/rest/api/3/issue/${payload.issueKey}?fields=summary`;
  const response = await api.asUser().requestJira(path, { headers: { Accept: "application/json" } });
  return [response.status, (await response.json()).key];
});

resolver.define("asApp", async ({ payload }: { payload: Payload }) => {
  const { default: api, route } = apis[payload.version];
  const response = await api.asApp().requestJira(route`/rest/api/3/myself`);
  return [response.status, (await response.json()).accountType];
});

resolver.define("noUser", ({ payload }: { payload: Payload }) =>
  told(async () => {
    const { default: api, route } = apis[payload.version];
    return (await api.asUser().requestJira(route`/rest/api/3/myself`)).status;
  }),
);

resolver.define("outside", ({ payload }: { payload: Payload & { url: string } }) =>
  told(async () => {
    const response = await apis[payload.version].fetch(payload.url);
    return [response.status, await response.text(), response.headers.get("forge-proxy-error")];
  }),
);

resolver.define("storage", ({ payload }: { payload: Payload }) =>
  told(() => apis[payload.version].storage.get("key")),
);

resolver.define("form", ({ payload }: { payload: { url: string } }) =>
  told(async () => {
    const form = new FormData();
    form.append("file", Buffer.from("content"), { filename: "n.txt" });
    const response = await nodeFetch(payload.url, { method: "POST", body: form });
    return [response.status, (await response.buffer()).toString("utf8")];
  }),
);

resolver.define("failing", async ({ payload }: { payload: { url: string } }) => {
  try {
    await nodeFetch(payload.url, { headers: new Headers({ a: "b" }) });
    return "answered";
  } catch (error) {
    return [error instanceof FetchError, (error as FetchError).type, (error as Error).message];
  }
});

resolver.define("node", async () => {
  const emitter = new EventEmitter();
  const seen: unknown[] = [];
  emitter.on("x", (value: number) => seen.push(value));
  emitter.emit("x", 4);
  for await (const chunk of Readable.from(["a", "b"])) seen.push(chunk);
  return [
    seen,
    types.isDate(new Date()),
    createHmac("sha256", "k").update("d").digest("hex"),
    await readFile("x").catch((error) => error.code),
    typeof http.Agent,
  ];
});

resolver.define("http", () => told(async () => http.request("http://x")));

class OwnError extends Error {}

function explode(payload: Payload): never {
  throw new OwnError(`nothing at ${payload.issueKey}`);
}

resolver.define("explode", ({ payload }: { payload: Payload }) => {
  console.error(new OwnError("logged"));
  return explode(payload);
});

export const handler = resolver.getDefinitions();
