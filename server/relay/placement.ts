import { triedKey } from "../routing/tried_key.ts";
import type { Candidate, Decision, RouteRequest } from "../routing/types.ts";

type Dispatch = Extract<Decision, { type: "dispatch" }>;

/** What one request asks of routing, try after try: who had it already, and whom it may not go beyond. */
export class Placement {
  /** Of the first try. */
  first: Dispatch | undefined;
  readonly #asked: RouteRequest;
  readonly #tried = new Set<string>();
  #heldTo: string | undefined;

  constructor(asked: RouteRequest) {
    this.#asked = asked;
  }

  /** As the next try asks. */
  get request(): RouteRequest {
    if (this.#tried.size === 0 && this.#heldTo === undefined) return this.#asked;
    return {
      ...this.#asked,
      excluded: this.#tried,
      ...(this.#heldTo !== undefined && { heldTo: this.#heldTo }),
    };
  }

  /** A slot was given to it. Without fallbacks the first provider is the only one, however the loads change. */
  given(decision: Dispatch): Candidate {
    const candidate = decision.candidates[0]!;
    const { allowFallbacks, order } = this.#asked.preferences ?? {};
    if (allowFallbacks === false && !order) this.#heldTo ??= candidate.worker.provider;
    this.first ??= decision;
    return candidate;
  }

  /** The worker failed it, whatever the model. */
  failed({ worker }: Candidate): void {
    this.#tried.add(triedKey(worker.id));
  }

  /** The backend answered with an error: with another model it may do better. */
  answeredWithError({ worker, model }: Candidate): void {
    this.#tried.add(triedKey(worker.id, model));
  }

  /** The client chose whom to try, so that it is tried when a backend answers with an error. */
  get namesFallbacks(): boolean {
    return this.#asked.preferences?.order !== undefined || this.#asked.models !== undefined;
  }
}
