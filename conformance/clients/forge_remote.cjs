// A Forge app's server: a stock app of atlassian-connect-express, told its app id by AC_APP_ID.
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");
const express = require("express");
const ace = require("atlassian-connect-express");

const { port } = JSON.parse(process.argv[2]);

// The framework reads its two files where it is started.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "forge-remote-"));
process.chdir(folder);
const write = (name, value) => fs.writeFileSync(path.join(folder, name), JSON.stringify(value));
write("config.json", { development: { port, store: { adapter: "map" } }, product: "jira" });
write("atlassian-connect.json", {
  key: "com.example.remote",
  baseUrl: `http://127.0.0.1:${port}`,
  authentication: { type: "jwt" },
});

// Its default store needs a native module; this is its documented way to bring another one.
ace.store.register("map", () => {
  const values = new Map();
  return {
    get: async () => null,
    set: async (_key, value) => value,
    del: async () => undefined,
    isMemoryStore: () => true,
    forForgeInstallation: (id) => ({
      get: async (key) => values.get(`${id}|${key}`) ?? null,
      set: async (key, value) => void values.set(`${id}|${key}`, value),
    }),
  };
});

const app = express();
const addon = ace(app);
let last = null;
app.use(express.json());
app.use(addon.middleware());
app.use((request, _, next) => {
  last = request.path === "/last" ? last : request.headers.authorization;
  next();
});

const ask = async (base, token) => {
  if (!token) return null;
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const answer = await fetch(`${base}/rest/api/3/myself`, { headers });
  return [answer.status, (await answer.json()).displayName];
};

const told = async (request, response) => {
  const { app, principal, context, tokens, apiBaseUrl } = request.context.forge;
  const kept = await addon.getForgeAppToken(app.installationId);
  response.json({
    body: request.body,
    module: app.module,
    principal: principal ?? null,
    moduleKey: context?.moduleKey ?? null,
    apiBaseUrl,
    kept: kept.appToken === tokens.app && kept.apiBaseUrl === apiBaseUrl,
    app: await ask(apiBaseUrl, tokens.app),
    user: await ask(apiBaseUrl, tokens.user),
  });
};
app.post(["/page", "/events/created", "/x"], addon.authenticateForge(), told);
app.get("/last", (_, response) => response.json(last));
app.get("/ready", (_, response) => response.json({ ready: true }));
app.listen(port, "127.0.0.1");
