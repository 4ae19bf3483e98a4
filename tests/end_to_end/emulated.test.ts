import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileName, nativeTarget } from "../../deploy/release/targets.ts";
import { locate, read } from "../architecture/source_tree.ts";
import { EchoBackend, type Received, sha256 } from "../support/echo_backend.ts";
import { needsBinary, RelayProgram, WorkerProgram } from "../support/program.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { lacks } from "../support/tools.ts";

/** The executable of a release that is for another processor than this machine's, in an emulator of that one. */

const { version } = JSON.parse(read("package.json")) as { version: string };
const EXECUTABLE = locate(`dist/release/${fileName(version, "linux-arm64")}`);
/** Debian's C library for it, of the package libc6-arm64-cross. */
const LIBRARIES = "/usr/aarch64-linux-gnu";

/** The first takes 10 s, and three times that on a machine that is busy with other things. */
const TESTED = { timeout: 90_000, skip: needsBinary() ?? noEmulation() };

function noEmulation(): string | undefined {
  if (nativeTarget() === "linux-arm64") return "needs another processor: this one is no emulated one";
  const missing = lacks("qemu-aarch64");
  if (missing || process.env.SIGNALBOX_TEST_REQUIRE_ALL) return missing;
  if (!existsSync(LIBRARIES)) return "needs libc6-arm64-cross";
  return existsSync(EXECUTABLE) ? undefined : "needs npm run release -- linux-arm64";
}

/** The emulator as a program of its own. */
function emulated(folder: ScratchFolder): string {
  return folder.write(
    "program",
    `#!/bin/sh\nexec qemu-aarch64 -L ${LIBRARIES} '${EXECUTABLE}' "$@"\n`,
    0o755,
  );
}

test("linux-arm64: version, route-test, demo", TESTED, () => {
  using folder = new ScratchFolder();
  const args = [locate("deploy/release/smoke.sh"), emulated(folder)];
  const { status, stdout, stderr } = spawnSync("sh", args, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  assert.ok(stdout.startsWith(`signalbox ${version} (`), stdout);
  assert.match(stdout, /dispatch: to attic/);
});

test("linux-arm64: a relay and a worker answer, and stop in order", TESTED, async () => {
  using folder = new ScratchFolder();
  const executable = emulated(folder);
  await using backend = await EchoBackend.start();
  await using relay = await RelayProgram.start([], { executable });
  await using worker = await WorkerProgram.start(relay.url, backend.url, [], { executable });
  // More than the window of a request has at first, and text, as a plain link carries nothing else.
  const body = Buffer.from(randomBytes(750_000).toString("base64"));
  const answer = await fetch(`${relay.url}/bytes`, { method: "POST", body });
  const received = (await answer.json()) as Received;
  assert.deepEqual([received.length, received.sha256], [body.length, sha256(body)]);
  for (const program of [worker, relay]) {
    program.signal("SIGTERM");
    assert.equal(await program.exited, 0);
  }
});
