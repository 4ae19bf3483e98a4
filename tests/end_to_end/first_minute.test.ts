import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { endWithTests } from "../support/children.ts";
import { noCurl } from "../support/curl.ts";
import { needsBinary, Program } from "../support/program.ts";
import { until } from "../support/until.ts";

/** What somebody sees who has just typed `npm start`. */

const LIMIT = { timeout: 30_000 };
const ROOT = join(import.meta.dirname, "../..");
const noNpx = spawnSync("npx", ["--version"]).status === 0 ? undefined : "needs npx";

async function startDemo(...flags: string[]) {
  const program = new Program(["demo", ...flags]);
  const url = (await program.says(/listening on (http:\/\/127\.0\.0\.1:\d+)\n/))[1]!;
  await program.says(/Ctrl-C/);
  return { program, url };
}

test(
  "it prints the address, a curl line and a first answer, and keeps serving until SIGINT",
  LIMIT,
  async () => {
    const { program, url } = await startDemo("--listen", "127.0.0.1:0");
    await using _ = program;
    assert.match(
      program.stdout,
      /a demo backend of Signalbox, no language model.*"Hello".*the worker desk .*word by word\.\n/,
    );
    const health = (await (await fetch(`${url}/health`)).json()) as object;
    assert.deepEqual(health, { status: "ok", workers_connected: 2 });
    assert.equal(program.child.exitCode, null);
    program.signal("SIGINT");
    assert.equal(await program.exited, 0);
    assert.equal(program.stderr, "");
  },
);

/** What each of the printed commands prints, in their order. */
const PRINTS = [
  /^data: \{.*"content":"(?:desk|rack) ".*data: \[DONE\]\n\n$/s,
  /^\{.*"content":"This is a demo backend .* the worker rack of the provider lab, .*word by word\."/,
  /Candidates, best first\n {2}1 {2}rack {2}lab {2}demo .*dispatch: to rack \(lab\) with demo\n$/s,
  /^event: message_start\n.*"text":"word\."\}.*event: message_stop\n/s,
  /^\{"model":"demo",.*"content":"This ".*\n.*"done":true/s,
  /^This is a demo backend .*word by word\.\n$/,
  /(?:Found a backend|No backend found|Cannot choose a backend)/,
];
const OF_SDK = 5;

test("every printed command works as it is", { timeout: 60_000, skip: noCurl() ?? noNpx }, async () => {
  const { program } = await startDemo("--listen", "127.0.0.1:0");
  await using _ = program;
  const lines = [...program.stdout.matchAll(/^ {2}((?:curl|npx|SIGNALBOX_|\/).*)$/gm)].map(
    ([, line]) => line!,
  );
  // The executable comes without OpenAI's SDK.
  const prints = needsBinary() ? PRINTS : PRINTS.toSpliced(OF_SDK, 1);
  assert.equal(lines.length, prints.length);
  for (const [at, line] of lines.entries()) await typeInShell(line, prints[at]!);
});

/** Until it has printed something, on either stream: the last one, a worker, goes on. */
async function typeInShell(line: string, wanted: RegExp): Promise<void> {
  const env = { ...process.env, no_proxy: "*", NO_COLOR: "1" };
  // A group of its own, as npx starts others.
  const child = spawn("sh", ["-c", line], { cwd: ROOT, env, detached: true });
  endWithTests(child);
  // Apart: curl tells its progress on one of them.
  const printed = ["", ""];
  for (const [at, stream] of [child.stdout, child.stderr].entries())
    stream.setEncoding("utf8").on("data", (text) => (printed[at] += text));
  let over = false;
  child.on("close", () => (over = true));
  try {
    await until(() => over || printed.some((text) => wanted.test(text)), line, 20_000);
    assert.ok(
      printed.some((text) => wanted.test(text)),
      `${line}\nWanted ${wanted}, found\n${printed.join("\n")}`,
    );
  } finally {
    if (!over) process.kill(-child.pid!, "SIGKILL");
  }
}

test("an answer that runs is finished after SIGINT, word for word", LIMIT, async () => {
  const { program, url } = await startDemo("--listen", "127.0.0.1:0");
  await using _ = program;
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({ model: "demo", stream: true, messages: [{ role: "user", content: "Bye" }] }),
    headers: { "content-type": "application/json" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  assert.doesNotMatch(text, /word by/, "it comes word by word");
  program.signal("SIGINT");
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
  assert.match(text, /"Bye/);
  assert.match(text, /"type":"message_stop"/);
  assert.equal(await program.exited, 0);
});

test("a default port that is taken is no reason to fail, one that was asked for is", LIMIT, async () => {
  const first = await startDemo();
  await using _first = first.program;
  const second = await startDemo();
  await using _second = second.program;
  assert.notEqual(second.url, first.url);
  await using third = new Program(["demo", "--listen", new URL(first.url).host]);
  assert.equal(await third.exited, 2);
  assert.match(third.stderr, /it is in use/);
});

test("it does not listen where others reach it", LIMIT, async () => {
  await using program = new Program(["demo", "--listen", "0.0.0.0:0"]);
  assert.equal(await program.exited, 2);
  assert.match(program.stderr, /Cannot use --listen.*0\.0\.0\.0/);
});
