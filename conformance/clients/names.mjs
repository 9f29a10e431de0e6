// What opens connections in Node, each asking the platform's own address, and some other one.
import { get } from "node:https";
import { connect } from "node:tls";

const { site, outside } = JSON.parse(process.argv[2]);
const path = "/_edge/tenant_info";

const byCore = (url) =>
  new Promise((resolve, reject) => {
    get(url, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk)).on("end", () => resolve(JSON.parse(text)));
    }).on("error", reject);
  });

const names = (socket) =>
  new Promise((resolve, reject) => {
    socket.on("error", reject).on("secureConnect", () => {
      const { subject } = socket.getPeerCertificate();
      resolve([socket.authorized, socket.servername, subject.CN]);
      socket.destroy();
    });
  });

const { hostname } = new URL(site);
console.log(
  JSON.stringify({
    fetched: await (await fetch(site + path)).json(),
    core: await byCore(site + path),
    options: await names(connect({ host: hostname, port: 443, servername: hostname })),
    positional: await names(connect(443, hostname, { servername: hostname })),
    another: await fetch("https://another.atlassian.net/").then((answer) => answer.status),
    outside: await fetch(outside).then(() => "answered", (error) => error.cause.code),
    proxy: process.env.HTTPS_PROXY ?? null,
  }),
);
