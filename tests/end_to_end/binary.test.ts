import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { PAGES } from "../../shared/manual/pages.ts";
import { startDemoBackend } from "../../worker/demo/backend.ts";
import { needsBinary, Program, RelayProgram, runProgram, WorkerProgram } from "../support/program.ts";
import { BINARY, BUN } from "../support/runtimes.ts";

/** What holds of the executable only: it needs nothing, and heeds nothing, of the folder that it is started in. */

const TESTED = { timeout: 30_000, skip: needsBinary() };

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-binary-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A folder with the program in it and nothing else. */
function alone() {
  const cwd = emptyFolder();
  const executable = join(cwd, "program");
  copyFileSync(BINARY, executable);
  return { cwd, executable, env: { PATH: "", HOME: cwd, TMPDIR: cwd } };
}

function ask(relayUrl: string): Promise<Response> {
  return fetch(`${relayUrl}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "Hello" }] }),
    headers: { "content-type": "application/json" },
  });
}

test("alone in a folder: demo", TESTED, async () => {
  await using demo = new Program(["demo", "--listen", "127.0.0.1:0"], alone());
  await demo.says(/"Hello".*word by word/);
  demo.signal("SIGINT");
  assert.equal(await demo.exited, 0);
});

test("alone in a folder: serve, worker, route-test", TESTED, async () => {
  const backend = await startDemoBackend();
  after(() => backend.stop(true));
  const place = alone();
  await using relay = await RelayProgram.start(["--admin-token", "the-token-of-an-admin"], place);
  await using _ = await WorkerProgram.start(relay.url, `http://127.0.0.1:${backend.port}`, [], place);
  assert.match(await (await ask(relay.url)).text(), /Hello.*word by word/);
  const request = ["route-test", "POST", "/v1/chat/completions", "--model", "demo"];
  const told = await runProgram([...request, "--server", relay.url], {
    ...place,
    env: { ...place.env, SIGNALBOX_ADMIN_TOKEN: "the-token-of-an-admin" },
  });
  assert.equal(told.exitCode, 0, told.stderr);
  assert.match(told.stdout, /dispatch/);
  assert.ok(!readdirSync(place.cwd).some((name) => name !== "program"), "it writes nothing");
});

test("alone in a folder: every page of the manual", TESTED, async () => {
  const place = alone();
  const listed = await runProgram(["docs"], place);
  assert.equal(listed.exitCode, 0, listed.stderr);
  assert.ok(PAGES.length > 15);
  for (const { name, file } of PAGES) {
    assert.match(listed.stdout, new RegExp(`^  ${name} `, "m"));
    const stdout = readFileSync(join(import.meta.dirname, "../..", file), "utf8");
    assert.deepEqual(await runProgram(["docs", name], place), { exitCode: 0, stdout, stderr: "" });
  }
  const { stdout } = await runProgram(["docs", "worker_invalid"], place);
  assert.match(stdout, /^### `worker_invalid`\n/);
});

test("it starts with an empty environment", TESTED, () => {
  const { status, stdout } = spawnSync(BINARY, ["--version"], { env: {}, encoding: "utf8" });
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^signalbox \d+\.\d+\.\d+ \((?:commit [0-9a-f]{7}(?:-dirty)?, )?bun \d+\.\d+\.\d+\)\n$/,
  );
});

/** Files that Bun reads in the folder where it is started, all of them with something that would be seen. */
function hostileFolder(): string {
  const folder = emptyFolder();
  const dotenv =
    "LISTEN_ADDR=127.0.0.1:666\nWORKER_SECRET=of-somebody-else-0123456789\nBACKEND_URL=http://192.0.2.1\n";
  const seen = 'console.log("HOSTILE");';
  const files = {
    ".env": dotenv,
    ".env.local": dotenv,
    ".env.production": dotenv,
    ".env.production.local": dotenv,
    "bunfig.toml": 'preload = ["./hostile.ts"]\n[run]\npreload = ["./hostile.ts"]\n',
    "hostile.ts": seen,
    "package.json": '{"type":"module","imports":{"#any":"./hostile.ts"}}',
    "tsconfig.json": '{"compilerOptions":{"paths":{"*":["./hostile.ts"]}}}',
    "node_modules/zod/package.json": '{"name":"zod","main":"index.js"}',
    "node_modules/zod/index.js": seen,
    "node_modules/elysia/index.js": seen,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

for (const command of ["serve", "worker"]) {
  test(`hostile files where it is started change nothing: ${command}`, TESTED, async () => {
    const args = [command, "--print-settings"];
    const expected = await runProgram(args, { cwd: emptyFolder() });
    assert.equal(expected.exitCode, 0, expected.stderr);
    assert.deepEqual(await runProgram(args, { cwd: hostileFolder() }), expected);
  });
}

test("hostile files where it is started do not run", TESTED, async () => {
  await using demo = new Program(["demo", "--listen", "127.0.0.1:0"], { cwd: hostileFolder() });
  await demo.says(/word by word/);
  assert.doesNotMatch(demo.stdout + demo.stderr, /HOSTILE/);
});

// Else the tests above would pass for files that do no harm to anybody.
test("they are hostile: Bun itself heeds them", TESTED, () => {
  const place = { cwd: hostileFolder(), env: { HOME: "/", DO_NOT_TRACK: "1" } };
  const { stdout } = spawnSync(BUN, ["-p", "process.env.LISTEN_ADDR"], { ...place, encoding: "utf8" });
  assert.equal(stdout, "HOSTILE\n127.0.0.1:666\n");
});
