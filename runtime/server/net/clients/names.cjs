// Loaded into a Node process by NODE_OPTIONS, for clients with fixed host names: what opens a TLS
// connection to a name of the platform is led to Firebrick's listener on this machine. Nothing else
// changes: the client still checks the certificate for the name that it asked for.
"use strict";

const tls = require("node:tls");
const { syncBuiltinESMExports } = require("node:module");

const port = Number(process.env.FIREBRICK_CLIENT_TLS_PORT);
const names = new Set((process.env.FIREBRICK_CLIENT_NAMES ?? "").split(","));
const SITES = ".atlassian.net"; // also a site that there is not: it must not be asked for outside
const HTTPS = 443;

const isPlatform = (host) => typeof host === "string" && (names.has(host) || host.endsWith(SITES));

// The three forms of tls.connect: (options, listener), (port, options, listener) and
// (port, host, options, listener).
const read = (args) => {
  const listener = typeof args[args.length - 1] === "function" ? args[args.length - 1] : undefined;
  const options = args.find((one) => one !== null && typeof one === "object") ?? {};
  const [first, second] = args;
  const given = typeof first === "object" ? {} : { port: first };
  if (typeof second === "string") given.host = second;
  return { options: { ...options, ...given }, listener };
};

const connect = tls.connect;
tls.connect = (...args) => {
  const { options, listener } = read(args);
  const host = (options.host ?? options.servername)?.toLowerCase();
  if (options.socket || Number(options.port) !== HTTPS || !isPlatform(host)) return connect(...args);
  const there = { ...options, host: "127.0.0.1", port, path: undefined, lookup: undefined };
  return connect({ ...there, servername: options.servername || host }, listener);
};
syncBuiltinESMExports();

// A proxy of ours is not needed here, and some clients speak to one in a way that it refuses.
for (const name of ["HTTPS_PROXY", "https_proxy"]) {
  if (process.env[name] && process.env[name] === process.env.FIREBRICK_CLIENT_PROXY) {
    delete process.env[name];
  }
}
