import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ReaderFolder } from "../architecture/reader.ts";
import { startRelay } from "../support/admin_view.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { runProgram, WorkerProgram } from "../support/program.ts";

/** What `route-test --help` says to type can be typed, from top to bottom. */

const LIMIT = { timeout: 30_000 };

/** The words of a command line, as a shell takes them apart. */
function wordsOf(line: string): string[] {
  const script = `for word in ${line}; do printf '%s\\0' "$word"; done`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

test("the examples of route-test's help do what they say", LIMIT, async () => {
  const { stdout: help } = await runProgram(["route-test", "--help"]);
  const examples = /^Examples:\n((?: {2}.*\n)+)/m.exec(help)![1]!.replaceAll("\\\n", "").trim().split("\n");
  const fleet = /^A fleet\.toml for the examples:\n\n((?: {2}.*\n|\n)+)/m.exec(help)![1]!;
  assert.ok(examples.length >= 5);

  await using backend = await EchoBackend.start();
  await using relay = await startRelay();
  await using _ = await WorkerProgram.start(relay.url, backend.url, ["--models=llama3"]);
  using folder = new ReaderFolder();
  folder.write("fleet.toml", fleet);
  folder.write("request.json", '{"model":"llama3","messages":[]}');
  folder.write("admin-token.txt", "admin-token-of-the-tests\n");
  for (const example of examples) {
    const line = example.trim().replace("http://127.0.0.1:8080", relay.url);
    const [program, ...args] = wordsOf(line);
    assert.equal(program, "signalbox");
    const { exitCode, stdout, stderr } = await runProgram(args, { cwd: folder.path });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, `${line}\n${stdout}`);
    assert.match(stdout, args.includes("--scenario") ? /^1 passed$/m : /dispatch|"refuse"/, line);
  }
});
