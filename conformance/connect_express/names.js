// Stands for a name mapping: the framework's impersonation server has a fixed name, which leads here
// to the emulator. Loaded by NODE_OPTIONS; neither app nor framework is changed.
"use strict";

const http = require("http");
const https = require("https");
const { hostname, port } = new URL(process.env.FIREBRICK_URL);
const NAME = "oauth-2-authorization-server.services.atlassian.com";
const original = https.request;

https.request = (options, ...rest) => {
  if (typeof options === "object" && (options.hostname ?? options.host) === NAME) {
    const there = { ...options, protocol: "http:", hostname, host: hostname, port, agent: undefined };
    return http.request({ ...there, headers: { ...options.headers, host: NAME } }, ...rest);
  }
  return original(options, ...rest);
};
