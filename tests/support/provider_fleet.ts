import { startRelay } from "./admin_view.ts";
import { ChatBackend } from "./chat_backend.ts";
import { type RelayProgram, WorkerProgram } from "./program.ts";

/** A relay and two workers of one model, which declare themselves differently: `home` is cheap and keeps nothing. */
export class ProviderFleet implements AsyncDisposable {
  readonly #programs: AsyncDisposable[];

  private constructor(
    readonly relay: RelayProgram,
    readonly backends: Readonly<Record<"home" | "lab", ChatBackend>>,
    workers: WorkerProgram[],
  ) {
    this.#programs = [...workers, relay, backends.home, backends.lab];
  }

  static async start(model: string): Promise<ProviderFleet> {
    const [home, lab] = [await ChatBackend.start("home", model), await ChatBackend.start("lab", model)];
    const relay = await startRelay();
    const flags = (provider: string) => ["--provider", provider, "--max-concurrency", "4"];
    const workers = await Promise.all([
      WorkerProgram.start(relay.url, home.url, [...flags("home"), ...HOME_LABELS]),
      WorkerProgram.start(relay.url, lab.url, [...flags("lab/a100"), ...LAB_LABELS]),
    ]);
    return new ProviderFleet(relay, { home, lab }, workers);
  }

  /** The base of the API. */
  get url(): string {
    return `${this.relay.url}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
  }
}

const HOME_LABELS = [
  ...["--quantization", "q8_0", "--price-prompt", "0.1", "--price-completion", "0.2"],
  ...["--data-collection", "deny", "--zdr", "--distillable-text"],
  ...["--supported-parameters", "temperature,max_tokens"],
];
const LAB_LABELS = [
  ...["--quantization", "fp16", "--price-prompt", "2", "--price-completion", "4"],
  ...["--data-collection", "allow"],
  ...["--supported-parameters", "temperature,max_tokens,tools,top_k"],
];
