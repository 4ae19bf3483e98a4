import type { Clock } from "../../shared/clock.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import type { Fleet } from "../fleet.ts";
import type { WorkerLink } from "../hub/worker_connection.ts";
import { givesId } from "../kept_things.ts";
import type { Candidate, RouteRequest } from "../routing/types.ts";
import { AnswerFacts } from "./answer_facts.ts";

/** Where lessons go. */
export type Pupil = Pick<Fleet<WorkerLink>, "wantsMeasure" | "measure" | "stickTo" | "keeps">;

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
  readonly #measures: boolean = false;
  readonly #facts: AnswerFacts | undefined;

  /** The answer begins. */
  constructor(options: LessonOptions, head: LinkResponseHead) {
    this.#options = options;
    const { fleet, clock, request, served, dispatchedAtMs } = options;
    const { method, path, session } = request;
    const { worker, model } = served;
    if (head.status >= 400) return;
    if (session !== undefined && isRankedByDefault(request)) fleet.stickTo(worker, { session, model });
    this.#measures = model !== undefined && method === "POST" && fleet.wantsMeasure(worker, model);
    if (this.#measures) {
      fleet.measure(worker, model, { latencyS: (clock.nowMs() - dispatchedAtMs) / 1000 });
    }
    if (!this.#measures && !givesId(method, path)) return;
    this.#facts = AnswerFacts.of({ method, path, head, kept: (id) => fleet.keeps(worker, id) });
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
    if (!this.#measures || tokens === undefined || seconds <= 0) return;
    fleet.measure(served.worker, served.model, { tokensPerS: tokens / seconds });
  }
}

/** A session that is sent by `order` or `sort` says nothing of where it is at home. */
function isRankedByDefault({ preferences }: RouteRequest): boolean {
  return !preferences?.order && (preferences?.sort ?? "exacto") === "exacto";
}
