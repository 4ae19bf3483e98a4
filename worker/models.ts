import type { Clock, Timer } from "../shared/clock.ts";
import type { BackendModels } from "./catalog.ts";

/** A backend that was not there is asked again this often: people start it after the worker. */
export const RETRY_INTERVAL_MS = 5_000;

/** A backend that was there is asked again this often: models are loaded and unloaded. */
const REFRESH_INTERVAL_MS = 60_000;

export interface ModelsOptions {
  /** As set by the operator; with `*` among them the backend is asked. */
  configured: readonly string[];
  ask(): Promise<BackendModels>;
  clock: Clock;
  /** The list that is served is another one now. */
  changed(models: readonly string[]): void;
  /** The backend went away or came back. */
  reachable(isReachable: boolean): void;
}

/**
 * The models that a worker serves. Named ones stay as they are; `*` follows the backend: what it lists, everything
 * (`*`) when it answers but has no list, nothing while it cannot be reached.
 */
export class ServedModels {
  readonly #options: ModelsOptions;
  #current: readonly string[];
  #reachable: boolean | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#current = options.configured;
  }

  get current(): readonly string[] {
    return this.#current;
  }

  get followsBackend(): boolean {
    return this.#options.configured.includes("*");
  }

  /** Ask the backend now, when the list follows it, and again from time to time. */
  async refresh(): Promise<void> {
    if (!this.followsBackend || this.#stopped) return;
    this.#timer?.cancel();
    const answer = await this.#options.ask();
    if (this.#stopped) return;
    this.#note(answer);
    const delayMs = answer.kind === "unreachable" ? RETRY_INTERVAL_MS : REFRESH_INTERVAL_MS;
    this.#timer = this.#options.clock.after(delayMs, () => this.refresh());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #note(answer: BackendModels): void {
    const reachable = answer.kind !== "unreachable";
    if (reachable !== this.#reachable) this.#options.reachable(reachable);
    this.#reachable = reachable;
    const models = answer.kind === "listed" ? answer.models : reachable ? ["*"] : [];
    if (models.join("\n") === this.#current.join("\n")) return;
    this.#current = models;
    this.#options.changed(models);
  }
}
