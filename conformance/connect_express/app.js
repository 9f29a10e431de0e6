// A stock app of atlassian-connect-express: the framework does all that is tested here.
"use strict";

const express = require("express");
const ace = require("atlassian-connect-express");

// The framework's default store needs a native module; its documented way to bring another one.
const memory = () => {
  const values = new Map();
  const name = (key, clientKey) => `${clientKey}|${key}`;
  return {
    get: async (key, clientKey) => values.get(name(key, clientKey)) ?? null,
    set: async (key, value, clientKey) => (values.set(name(key, clientKey), value), value),
    del: async (...key) => {
      if (key.length === 2) values.delete(name(...key));
      else for (const one of values.keys()) if (one.startsWith(`${key[0]}|`)) values.delete(one);
    },
    saveInstallation: async (value, clientKey) => {
      values.set(name("clientInfo", clientKey), value);
      return value;
    },
    getAllClientInfos: async () => [],
    isMemoryStore: () => true,
  };
};
ace.store.register("map", memory);

const app = express();
const addon = ace(app);
let clientKey = null;
const hooks = [];
app.use(express.json());
app.use(addon.middleware());
addon.on("host_settings_saved", (key) => {
  clientKey = key;
});

const relay = (client, request, response) => {
  const { method, path, body } = request.body;
  client[method.toLowerCase()]({ url: path, json: true, body }, (error, answer, value) => {
    response.json({ error: error && String(error), status: answer?.statusCode, body: value });
  });
};

app.get("/hello", addon.authenticate(), (request, response) => {
  response.json({ user: request.context.userAccountId, issue: request.query.issue });
});
app.get("/loose", addon.checkValidToken(), (_, response) => response.json({ ok: true }));
app.post("/hook", addon.authenticate(), (request, response) => {
  hooks.push(request.body);
  response.status(204).end();
});
// What the test drives the app by; a real app would do this on its own.
app.get("/state", (_, response) => response.json({ clientKey, hooks }));
app.post("/ask", (request, response) => relay(addon.httpClient({ clientKey }), request, response));
app.post("/ask-as/:account", (request, response) => {
  const client = addon.httpClient({ clientKey }).asUserByAccountId(request.params.account);
  relay(client, request, response);
});

app.listen(addon.config.port(), "127.0.0.1", () => addon.register());
