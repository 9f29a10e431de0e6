// Writes what Node answers into the expectation files: node tests/guests/expect.mjs
// The tests do not need Node; run this after adding a case (a case is [source, answer]).
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { Console } from "node:console";
import { format } from "node:util";
import { Writable } from "node:stream";

process.env.TZ = "UTC"; // as in a guest
const here = new URL(".", import.meta.url);
const setup = readFileSync(new URL("helpers.js", here), "utf8");

const answerOf = {
  values: async (source) => {
    const make = new Function("require", `${setup}; return (async () => (${source}))()`);
    const value = await make(createRequire(import.meta.url));
    return JSON.parse(JSON.stringify(value === undefined ? "undefined" : value));
  },
  formats: (source) => format(...new Function(`return [${source}]`)()),
  consoles: (source) => {
    let text = "";
    const stream = new Writable({
      write(chunk, encoding, done) {
        text += chunk;
        done();
      },
    });
    new Function("console", source)(new Console({ stdout: stream, stderr: stream }));
    return text.replace(/\n$/, "");
  },
};

for (const name of process.argv.slice(2)) {
  const file = new URL(name, here);
  const { about, kind, differs, cases } = JSON.parse(readFileSync(file, "utf8"));
  const rows = [];
  for (const [source] of cases) rows.push(JSON.stringify([source, await answerOf[kind](source)]));
  const other = differs.map((row) => JSON.stringify(row));
  writeFileSync(
    file,
    `{"about": ${JSON.stringify(about)},\n"kind": "${kind}",\n"differs": [\n${other.join(",\n")}\n],\n` +
      `"cases": [\n${rows.join(",\n")}\n]}\n`,
  );
}
process.exit();
