import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { endWithTests } from "./children.ts";

/** A real llama.cpp server with a 480 kB model: `pip install -r tests/support/llama/requirements.txt` in `.venv`. */

const FOLDER = join(import.meta.dirname, "llama");
const PYTHON = join(import.meta.dirname, "../../.venv/bin/python");

const LOOK_INTERVAL_MS = 20;

/** Why the real backend cannot run here; undefined when it can, and where it must (`.ci/run`). */
export function noLlama(): string | undefined {
  if (process.env.SIGNALBOX_TEST_REQUIRE_ALL || existsSync(PYTHON)) return undefined;
  return "needs llama.cpp: python3 -m venv .venv && .venv/bin/pip install -r tests/support/llama/requirements.txt";
}

export class LlamaBackend implements AsyncDisposable {
  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  /** `parallel`: requests it works on at a time. */
  static async start(parallel = 4): Promise<LlamaBackend> {
    const child = spawn(PYTHON, [join(FOLDER, "llama_backend.py"), "0", String(parallel)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithTests(child);
    let said = "";
    const url = await new Promise<string>((resolve, reject) => {
      const read = (text: string) => {
        said += text;
        const match = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said);
        if (match) resolve(match[0]);
      };
      child.stdout.setEncoding("utf8").on("data", read);
      child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
      child.on("error", reject);
      child.on("close", () => reject(new Error(`The llama.cpp server ended:\n${said}`)));
    });
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    return new LlamaBackend(url, async () => {
      child.kill("SIGKILL");
      await ended;
    });
  }

  /** What each of its slots does; `is_processing` tells whether it works. */
  async slots(): Promise<{ is_processing: boolean }[]> {
    return (await (await fetch(`${this.url}/slots`)).json()) as { is_processing: boolean }[];
  }

  async busySlots(): Promise<number> {
    return (await this.slots()).filter((slot) => slot.is_processing).length;
  }

  /** Wait until so many of its slots work: by asking, as nothing tells. */
  async busyWhen(wanted: number, withinMs: number, everyMs = LOOK_INTERVAL_MS): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (let busy = await this.busySlots(); busy !== wanted; busy = await this.busySlots()) {
      if (performance.now() > deadline)
        throw new Error(`Wanted ${wanted} busy slots within ${withinMs} ms, found ${busy}`);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** Its only model: a path, so its slashes are tested too. */
  async model(): Promise<string> {
    const { data } = (await (await fetch(`${this.url}/v1/models`)).json()) as { data: { id: string }[] };
    return data[0]!.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
