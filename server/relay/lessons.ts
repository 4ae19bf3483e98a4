import type { Clock } from "../../shared/clock.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import type { Fleet } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import type { Candidate, RouteRequest } from "../routing/types.ts";
import { AnswerFacts } from "./answer_facts.ts";

/** Where lessons go. */
export type Pupil = Pick<Fleet<WorkerLink>, "measure" | "stickTo" | "keeps">;

export interface LessonOptions {
  readonly fleet: Pupil;
  readonly clock: Clock;
  readonly request: RouteRequest;
  readonly served: Pick<Candidate, "worker" | "model">;
  readonly dispatchedAtMs: number;
}

/** What one answer teaches routing: how fast its worker is, whose session it has, and what it keeps. */
export class Lessons {
  readonly #options: LessonOptions;
  readonly #facts: AnswerFacts | undefined;

  /** The answer begins. */
  constructor(options: LessonOptions, head: LinkResponseHead) {
    this.#options = options;
    const { fleet, clock, request, served, dispatchedAtMs } = options;
    const { method, path, session, preferences } = request;
    const { worker, model } = served;
    if (head.status >= 400) return;
    if (session !== undefined && !preferences?.order) fleet.stickTo(worker, { session, model });
    this.#facts = AnswerFacts.of({ method, path, head, kept: (id) => fleet.keeps(worker, id) });
    if (model === undefined || method !== "POST") return;
    fleet.measure(worker, model, { latencyS: (clock.nowMs() - dispatchedAtMs) / 1000 });
  }

  /** The next bytes of its body. */
  data(chunk: Uint8Array): void {
    this.#facts?.data(chunk);
  }

  /** The body is complete. One that breaks off teaches nothing more. */
  end(): void {
    const tokens = this.#facts?.end();
    const { fleet, clock, served, dispatchedAtMs } = this.#options;
    const seconds = (clock.nowMs() - dispatchedAtMs) / 1000;
    if (tokens === undefined || seconds <= 0 || served.model === undefined) return;
    fleet.measure(served.worker, served.model, { tokensPerS: tokens / seconds });
  }
}
