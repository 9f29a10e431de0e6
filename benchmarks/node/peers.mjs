// Peers of the sandbox, one fresh context for each invocation: argv = bundle, stubs, rounds.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import { spawnSync } from "node:child_process";
import { getQuickJS } from "quickjs-emscripten";

const [bundlePath, stubsPath, rounds] = process.argv.slice(2);
const bundle = readFileSync(bundlePath, "utf8");
const stubs = readFileSync(stubsPath, "utf8");
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(count, run) {
  const times = [];
  for (let round = 0; round < count; round++) {
    const start = performance.now();
    const text = await run();
    times.push(performance.now() - start);
    if (!text.includes("TEAM-1")) throw new Error(`wrong result: ${text}`);
  }
  return median(times);
}

const stubScript = new vm.Script(stubs);
const bundleScript = new vm.Script(bundle);
const nodeVm = () => {
  const context = vm.createContext({ URLSearchParams, setTimeout, console });
  stubScript.runInContext(context);
  bundleScript.runInContext(context);
  return vm.runInContext("__call__()", context);
};

const QuickJS = await getQuickJS();
const quickjs = async () => {
  const context = QuickJS.newContext();
  context.unwrapResult(context.evalCode(stubs)).dispose();
  context.unwrapResult(context.evalCode(bundle)).dispose();
  const promise = context.unwrapResult(context.evalCode("__call__()"));
  const settled = context.resolvePromise(promise);
  context.runtime.executePendingJobs();
  const handle = context.unwrapResult(await settled);
  const text = context.getString(handle);
  handle.dispose(); promise.dispose(); context.dispose();
  return text;
};

const folder = mkdtempSync(join(tmpdir(), "peers-"));
const program = join(folder, "call.cjs");
writeFileSync(program, `${stubs}\n${bundle}\n__call__().then((text) => process.stdout.write(text));`);
const nodeProcess = async () => spawnSync(process.execPath, [program], { encoding: "utf8" }).stdout;

const count = Number(rounds);
console.log(JSON.stringify({
  node_vm: await timed(count * 5, nodeVm),
  quickjs_emscripten: await timed(count, quickjs),
  node_process: await timed(Math.max(3, Math.floor(count / 4)), nodeProcess),
}));
rmSync(folder, { recursive: true });
