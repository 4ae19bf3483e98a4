import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { inOwnNetwork, noOwnNetwork } from "../support/own_network.ts";
import { commandLine, Program, type ProgramOptions } from "../support/program.ts";
import { BUN } from "../support/runtimes.ts";

/** `signalbox worker` without a backend named, in a network of its own, where the usual ports are free for the test. */

const STAND = join(import.meta.dirname, "../support/with_model_servers.ts");
const OPTIONS = { timeout: 30_000, skip: noOwnNetwork() };

/** A command beside servers of models, such as `OLLAMA:11434`. */
class Beside extends Program {
  constructor(servers: string[], command: string[], options: ProgramOptions = {}) {
    const [executable, ...args] = inOwnNetwork(BUN, STAND, ...servers, "--", ...command);
    super(args, { ...options, executable });
  }

  /** Not at once: the stand has to end what it started. */
  override async kill(): Promise<void> {
    this.signal("SIGTERM");
    await this.exited;
  }
}

const worker = (servers: string[], ...flags: string[]) =>
  new Beside(servers, [...commandLine(), "worker", ...flags]);

test("the backend on a usual port is served, a relay is none", OPTIONS, async () => {
  for (const [server, kind] of [
    ["OLLAMA:11434", "Ollama"],
    ["LLAMA_CPP:8080", "llama.cpp"],
    ["VLLM:8000", "vLLM"],
    ["LM_STUDIO:1234", "LM Studio"],
  ] as const) {
    const other = server === "LLAMA_CPP:8080" ? [] : ["RELAY:8080"];
    await using program = worker([server, ...other], "--proxy-url", "http://127.0.0.1:9");
    const [, found] = await program.says(/Found a backend kind=(.+) backend=/);
    assert.equal(found!.replaceAll('"', ""), kind);
    await program.says(/relay cannot be reached/);
    assert.doesNotMatch(program.stderr, /8080.*8080/);
    program.signal("SIGTERM");
    assert.equal(await program.exited, 0);
  }
});

test("none is waited for, until it is told to stop", OPTIONS, async () => {
  await using program = worker(["RELAY:8080"]);
  const { input } = await program.says(/WARN {2}No backend found.*\n/);
  assert.match(input, /ports="11434 \(Ollama\), 8080 \(llama\.cpp\), 8000 \(vLLM\), 1234 \(LM Studio\)"/);
  program.signal("SIGTERM");
  assert.equal(await program.exited, 0);
});

test("a backend that is named is taken unseen", OPTIONS, async () => {
  await using program = worker(["OLLAMA:11434", "VLLM:8000"], "--backend-url", "http://127.0.0.1:9999");
  await program.says(/backend cannot be reached.*backend=http:\/\/127\.0\.0\.1:9999/);
  assert.doesNotMatch(program.stderr, /Found/);
});

test("several are an error without a terminal", OPTIONS, async () => {
  await using program = worker(["OLLAMA:11434", "VLLM:8000"]);
  assert.equal(await program.exited, 2);
  assert.match(program.stderr, /error: Cannot choose a backend: .*found 2: Ollama at .*; vLLM at /);
  assert.match(program.stderr, /hint: name one: --backend-url http:\/\/127\.0\.0\.1:11434,/);
});

const noTerminal =
  noOwnNetwork() ?? (spawnSync("script", ["--version"]).status === 0 ? undefined : "needs script");

/** https://man7.org/linux/man-pages/man1/script.1.html: what is typed is typed at a terminal. */
async function atTerminal(typed: string): Promise<Program> {
  const command = `exec ${commandLine().join(" ")} worker --models m`;
  const servers = ["OLLAMA:11434", "VLLM:8000"];
  const program = new Beside(servers, ["script", "-qec", command, "/dev/null"], { typing: true });
  await program.says(/ {2}2 {2}vLLM at http:\/\/127\.0\.0\.1:8000 with Qwen\/Qwen3-8B\r\nWhich one/);
  program.child.stdin!.write(typed);
  return program;
}

test("at a terminal somebody chooses", { ...OPTIONS, skip: noTerminal }, async () => {
  await using program = await atTerminal("both\n2\n");
  await program.says(/Which one.*Which one/s);
  await program.says(/relay cannot be reached/);
});

test("at a terminal Ctrl-C and the end of the input end it", { ...OPTIONS, skip: noTerminal }, async () => {
  await using stopped = await atTerminal("\x03");
  assert.equal(await stopped.exited, 0);
  await using ended = await atTerminal("\x04");
  assert.equal(await ended.exited, 2);
  assert.match(ended.stdout, /error: Cannot choose a backend/);
});
