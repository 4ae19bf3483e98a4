import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { commitOf } from "../../shared/commit.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = join(ROOT, "main.ts");
/** This runtime, whichever it is. */
const COMMAND = "Deno" in globalThis ? ["run", "-A", "--no-check", MAIN] : [MAIN];

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Run the program as a process, with something on its standard input. */
function run(args: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [...COMMAND, ...args], {
    env: { PATH: process.env.PATH },
    timeout: 20_000,
  });
  const ended: Ended = { code: null, out: "", err: "" };
  child.stdout.on("data", (piece) => {
    ended.out += piece;
  });
  child.stderr.on("data", (piece) => {
    ended.err += piece;
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ ...ended, code })));
}

test("standard input, both outputs and the exit code are the process's own", async () => {
  const { code, out, err } = await run(["keys", "hash", "--name", "alice"], "correct-horse-battery-staple\n");
  assert.deepEqual([code, err], [0, ""]);
  assert.match(
    out,
    /^\[\[key\]\]\nname = "alice"\nsha256 = "87cbebfe[0-9a-f]{56}"\nscopes = \["inference"\]\n$/,
  );
});

test("--version tells version, commit and runtime", async () => {
  const { code, out, err } = await run(["--version"]);
  assert.deepEqual([code, err], [0, ""]);
  const [, version, commit, runtime] =
    /^signalbox (\S+) \((?:commit (\S+), )?((?:bun|deno) \d\S+)\)\n$/.exec(out) ?? [];
  assert.equal(version, packageJson.version);
  assert.equal(commit, commitOf(ROOT));
  const { bun, deno } = process.versions;
  assert.equal(runtime, bun ? `bun ${bun}` : `deno ${deno}`);
});

test("a port in use is one error line, one hint line and exit code 2", async () => {
  const holder = createServer();
  after(() => holder.close());
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  const { code, out, err } = await run(["serve", "--listen", `127.0.0.1:${port}`]);
  assert.deepEqual([code, out], [2, ""]);
  const [error, hint, ...more] = err.split("\n");
  assert.match(
    error ?? "",
    new RegExp(`^signalbox: error: Cannot listen on 127\\.0\\.0\\.1:${port} .*in use$`),
  );
  assert.match(hint ?? "", /^signalbox: hint: ./);
  assert.deepEqual(more, [""]);
});
