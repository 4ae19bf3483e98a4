import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endRelay, startRelay } from "./admin_view.ts";
import { type Pace, PacedBackend } from "./paced_backend.ts";
import { type RelayProgram, WorkerProgram } from "./program.ts";

/**
 * A relay and five workers that differ in all that a client may go by. All serve `small` and `timed`; `cloud` serves
 * every model, the rigs `medium` too, the better of them and `lab` `big`, and `lab` alone `tuned` and `odd:floor`.
 */
export const WORKERS = {
  attic: {
    provider: "attic",
    pace: { firstMs: 340, lastMs: 460, tokens: 6 },
    // Framed in every run: somebody has to take bytes.
    flags: ["--models=small,timed", "--endpoint-prefixes=/v1/chat,/v1/embed*,/api", "--link-form=auto"],
    labels: "",
  },
  rig3060: {
    provider: "home/3060",
    pace: { firstMs: 100, lastMs: 300, tokens: 8 },
    flags: [
      ...["--models=small,timed,medium", "--endpoint-prefixes=/v1", "--link-form=plain"],
      ...["--quantization=q8_0", "--price-prompt=0.1", "--price-completion=0.2"],
      ...["--data-collection=deny", "--supported-parameters=temperature,max_tokens"],
    ],
    labels: "",
  },
  rig4090: {
    provider: "home/4090",
    pace: { firstMs: 260, lastMs: 290, tokens: 192 },
    flags: ["--models=small,timed,medium,big", "--endpoint-prefixes=/v1", "--max-concurrency=2"],
    labels: `
      [labels]
      quantization = "q4_k_m"
      zdr = true
      data_collection = "deny"
      supported_parameters = ["temperature", "max_tokens", "seed"]
      [labels.price]
      prompt = 0.5
      completion = 1
      [labels.models.big]
      quantization = "bf16"
    `,
  },
  lab: {
    provider: "lab",
    pace: { firstMs: 2, lastMs: 102, tokens: 20 },
    flags: [
      ...["--models=small,timed,big,tuned,odd:floor", "--endpoint-prefixes=/v1", "--max-concurrency=4"],
      ...["--quantization=fp16", "--price-prompt=2", "--price-completion=4", "--data-collection=allow"],
      ...["--distillable-text", "--supported-parameters=temperature,max_tokens,tools,top_k"],
    ],
    labels: "",
  },
  cloud: {
    provider: "cloud",
    pace: { firstMs: 300, lastMs: 320, tokens: 16 },
    flags: ["--models=*", "--max-concurrency=3"],
    labels: `
      [labels]
      quantization = "fp8"
      data_collection = "allow"
      supported_parameters = ["temperature", "max_tokens", "tools", "seed", "top_k", "logprobs"]
      [labels.price]
      prompt = 10
      completion = 30
      request = 0.01
    `,
  },
} as const satisfies Record<string, { provider: string; pace: Pace; flags: string[]; labels: string }>;

/** A slot that is not given by then will not be; one that is held is held for less. */
const PATIENCE_MS = 20_000;

export type WorkerName = keyof typeof WORKERS;

export const WORKER_NAMES = Object.keys(WORKERS) as WorkerName[];

export class SessionFleet implements AsyncDisposable {
  readonly #workers: WorkerProgram[];

  private constructor(
    readonly relay: RelayProgram,
    readonly backends: Readonly<Record<WorkerName, PacedBackend>>,
    workers: WorkerProgram[],
  ) {
    this.#workers = workers;
  }

  /** `slowness`: of streams, against the pace in `WORKERS`; 0 is at once. */
  static async start(slowness: number, relayFlags: string[] = []): Promise<SessionFleet> {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-session-"));
    const relay = await startRelay(relayFlags);
    const backends = {} as Record<WorkerName, PacedBackend>;
    for (const name of WORKER_NAMES) {
      const { firstMs, lastMs, tokens } = WORKERS[name].pace;
      const pace = { firstMs: firstMs * slowness, lastMs: lastMs * slowness, tokens };
      backends[name] = await PacedBackend.start(name, pace);
    }
    const workers = await Promise.all(
      WORKER_NAMES.map((name) => startWorker(relay, backends[name], { name, folder })),
    );
    rmSync(folder, { recursive: true });
    return new SessionFleet(relay, backends, workers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker.kill();
    await endRelay(this.relay);
    for (const name of WORKER_NAMES) await this.backends[name][Symbol.asyncDispose]();
  }

  /** Give each a request without a model, those that are named first: in this order the rotation has them from now on. */
  async takeTurns(first: readonly WorkerName[] = []): Promise<void> {
    const rest = WORKER_NAMES.filter((name) => !first.includes(name));
    for (const name of [...first, ...rest]) await (await this.#post(name, "/v1/chat/turn")).bytes();
  }

  /** Take slots of a worker, until what is returned is called: then they are free when its promise resolves. */
  async hold(name: WorkerName, slots = 1): Promise<() => Promise<void>> {
    const taken = Array.from({ length: slots }, () => this.#post(name, "/v1/chat/hold"));
    const answers = await Promise.all(taken);
    return async () => {
      this.backends[name].release();
      for (const answer of answers) await answer.bytes();
    };
  }

  /** @throws Error when another one had it */
  async #post(name: WorkerName, path: string): Promise<Response> {
    const headers = { "x-provider": WORKERS[name].provider, accept: "text/event-stream" };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`${this.relay.url}${path}`, { method: "POST", headers, signal });
    const found = answer.headers.get("x-signalbox-worker");
    if (found !== name) throw new Error(`Wanted ${name} for ${path}, found ${found}: ${await answer.text()}`);
    return answer;
  }
}

function startWorker(
  relay: RelayProgram,
  backend: PacedBackend,
  { name, folder }: { name: WorkerName; folder: string },
): Promise<WorkerProgram> {
  const { provider, flags, labels } = WORKERS[name];
  const config = join(folder, `${name}.toml`);
  writeFileSync(config, `worker_name = "${name}"\nprovider = "${provider}"\n${labels}`);
  return WorkerProgram.start(relay.url, backend.url, [`--config=${config}`, ...flags]);
}
