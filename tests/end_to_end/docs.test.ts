import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { commandLine, runProgram } from "../support/program.ts";
import { lacks } from "../support/tools.ts";

/** `signalbox docs` as a process, whose reader may be slow, or leave. */

const ROUTING = readFileSync(join(import.meta.dirname, "../../docs/routing.md"), "utf8");

test("a page is printed as it is written", async () => {
  assert.deepEqual(await runProgram(["docs", "routing"]), { exitCode: 0, stdout: ROUTING, stderr: "" });
});

/**
 * Reads what a command prints through a pipe that holds a part of it. As `less` does it takes its time, longer than
 * a command that is done waits for its last sockets; or it leaves after so many bytes.
 */
const READER = `
import fcntl, os, subprocess, sys, time
wanted, command = int(sys.argv[1]), sys.argv[2:]
reading, writing = os.pipe()
fcntl.fcntl(writing, 1031, 4096)
child = subprocess.Popen(command, stdout=writing)
os.close(writing)
taken = os.read(reading, 1)
time.sleep(1.5 if wanted > 1 else 0)
while len(taken) < wanted and (piece := os.read(reading, 4096)):
    taken += piece
os.close(reading)
sys.stdout.buffer.write(taken)
sys.exit(child.wait())
`;

/** Its number 1031 is Linux's, to make a pipe smaller. */
const skip = lacks("python3") ?? (process.platform === "linux" ? undefined : "needs Linux");

function readBy(bytes: number) {
  const words = ["-c", READER, String(bytes), ...commandLine(), "docs", "routing"];
  const { status, stdout, stderr } = spawnSync("python3", words, { encoding: "utf8", timeout: 20_000 });
  return { status, stdout, stderr };
}

test("a slow reader gets all of it", { skip }, () => {
  assert.deepEqual(readBy(10 * ROUTING.length), { status: 0, stdout: ROUTING, stderr: "" });
});

test("a reader that leaves is no failure", { skip }, () => {
  assert.deepEqual(readBy(1), { status: 0, stdout: ROUTING.slice(0, 1), stderr: "" });
});

const noFull = existsSync("/dev/full") ? undefined : "there is no /dev/full";

test("a full disk is a failure that is told", { skip: noFull }, () => {
  const [program, ...words] = commandLine();
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(program!, [...words, "docs", "routing"], {
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
    timeout: 20_000,
  });
  closeSync(full);
  assert.match(stderr, /^signalbox: error: Cannot print: .*no space left on device.*\n$/i);
  assert.equal(status, 1);
});
