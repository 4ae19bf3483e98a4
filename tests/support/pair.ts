import { startRelay } from "./admin_view.ts";
import { type RelayProgram, WorkerProgram } from "./program.ts";

/** A relay, whose admin token the tests have, and one worker that has registered with it. */
export class Pair implements AsyncDisposable {
  private constructor(
    readonly relay: RelayProgram,
    readonly worker: WorkerProgram,
  ) {}

  /** `flags` of the relay and of the worker, who takes 8 requests at a time unless they say otherwise. */
  static async start(backendUrl: string, flags: { relay?: string[]; worker?: string[] } = {}): Promise<Pair> {
    const { relay: relayFlags = [], worker: workerFlags = ["--max-concurrency", "8"] } = flags;
    const relay = await startRelay(relayFlags);
    try {
      return new Pair(relay, await WorkerProgram.start(relay.url, backendUrl, workerFlags));
    } catch (error) {
      await relay.kill();
      throw error;
    }
  }

  get url(): string {
    return this.relay.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.worker.kill(), this.relay.kill()]);
  }
}
