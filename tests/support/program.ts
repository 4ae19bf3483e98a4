import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { endWithTests } from "./children.ts";
import { LINK_FORM } from "./link_form.ts";
import { BINARY, BUN, DENO } from "./runtimes.ts";

/**
 * Starts Signalbox as its users do: as processes, on what `SIGNALBOX_TEST_RUNTIME` names: bun, deno, or binary, the
 * executable with Bun in it. All of it ends with the test: `await using`.
 */

const ROOT = join(import.meta.dirname, "../..");

/** A process that says nothing for this long will not. */
const PATIENCE_MS = 20_000;

const MAIN = join(ROOT, "main.ts");
const COMMANDS = {
  bun: [BUN, MAIN],
  deno: [DENO, "run", "-A", "--no-check", MAIN],
  binary: [BINARY],
};
const NAMED = process.env.SIGNALBOX_TEST_RUNTIME ?? "bun";

/** With `SIGNALBOX_TEST_OVERRIDE=1` every relay has this `[override]`, which is to change nothing for who does not ask. */
const OVERRIDE = process.env.SIGNALBOX_TEST_OVERRIDE === "1";
const UNUSED_OVERRIDE = {
  listen: "127.0.0.1:0",
  endpoint: [{ name: "unused", patterns: ["https://*.override.example/v1/**"], credential: "passthrough" }],
};

/** What a relay of `RelayProgram` says to who names an endpoint and shows no credential. */
export const OVERRIDE_REFUSAL = OVERRIDE
  ? { status: 401, code: "unauthorized" }
  : { status: 403, code: "override_not_allowed" };

/** For the `skip` of a test about something that one runtime cannot do: the reason, where the processes run on it. */
export function cannotOn(runtime: "bun" | "deno", reason: string): string | undefined {
  return runtime === (NAMED === "binary" ? "bun" : NAMED) ? reason : undefined;
}

/** For the `skip` of a test about the executable alone: the reason, where the processes run from source. */
export function needsBinary(): string | undefined {
  return NAMED === "binary" ? undefined : "needs SIGNALBOX_TEST_RUNTIME=binary: it is about the executable";
}

/** What is typed before the name of a command. */
export function commandLine(): string[] {
  const command = new Map(Object.entries(COMMANDS)).get(NAMED);
  if (command) return command;
  throw new Error(`Cannot run on ${NAMED}: wanted ${Object.keys(COMMANDS).join(", ")}`);
}

/** Nothing of the machine that runs the tests may change what they see, and Deno is not to look for a newer one. */
function cleanEnvironment(extra: Record<string, string>): Record<string, string> {
  const { PATH = "", HOME = "/tmp", TMPDIR = "/tmp" } = process.env;
  return { PATH, HOME, TMPDIR, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...extra };
}

export interface ProgramOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Another executable than the one under test. */
  executable?: string;
  /** Given on standard input, which is then closed. */
  stdin?: string;
  /** Leave standard input open instead: the test types. */
  typing?: boolean;
}

/** A running `signalbox`. */
export class Program implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  #wake: (() => void)[] = [];

  constructor(args: string[], options: ProgramOptions = {}) {
    const [command, ...first] = options.executable ? [options.executable] : commandLine();
    // A flag, with which a test says which form it means, goes before it.
    const form = args[0] === "worker" && LINK_FORM === "plain" && { SIGNALBOX_LINK_FORM: LINK_FORM };
    this.child = spawn(command!, [...first, ...args], {
      cwd: options.cwd ?? ROOT,
      env: cleanEnvironment({ ...form, ...options.env }),
      stdio: ["pipe", "pipe", "pipe"],
    });
    endWithTests(this.child);
    this.child.stdout!.setEncoding("utf8").on("data", (text) => this.#read("stdout", text));
    this.child.stderr!.setEncoding("utf8").on("data", (text) => this.#read("stderr", text));
    this.child.stdin!.on("error", () => {});
    if (!options.typing) this.child.stdin!.end(options.stdin ?? "");
    this.exited = new Promise((resolve) => {
      // Not "exit": what was printed last is still on its way then.
      this.child.on("close", (code, signal) => {
        resolve(code ?? (signal ? 128 : 1));
        this.#read("stderr", "");
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /**
   * Wait until a text was printed, on either stream. What it does to others is often seen before what it prints, and
   * one stream before the other: who has only to look at `stdout` or `stderr` may look too early.
   */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match) return match;
      if (this.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Wanted ${pattern}, found\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** End it at once, as a power cut would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #read(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Run a command to its end. */
export async function runProgram(args: string[], options?: ProgramOptions) {
  await using program = new Program(args, options);
  const exitCode = await program.exited;
  return { exitCode, stdout: program.stdout, stderr: program.stderr };
}

/** A relay that listens. */
export class RelayProgram extends Program {
  url = "";

  static async start(flags: string[] = [], options: ProgramOptions = {}): Promise<RelayProgram> {
    const listen = flags.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
    const env = { ...(OVERRIDE && { SIGNALBOX_OVERRIDE: JSON.stringify(UNUSED_OVERRIDE) }), ...options.env };
    const relay = new RelayProgram(["serve", ...listen, ...flags], { ...options, env });
    try {
      relay.url = (await relay.says(/listening on (https?:\/\/\S+)/))[1]!;
    } catch (error) {
      await relay.kill();
      throw error;
    }
    return relay;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }
}

/** A worker that has registered. */
export class WorkerProgram extends Program {
  static async start(relayUrl: string, backendUrl: string, flags: string[] = [], options?: ProgramOptions) {
    const worker = new WorkerProgram(
      ["worker", "--proxy-url", relayUrl, "--backend-url", backendUrl, ...flags],
      options,
    );
    try {
      await worker.says(/Registered/);
    } catch (error) {
      await worker.kill();
      throw error;
    }
    return worker;
  }
}
