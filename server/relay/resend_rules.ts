import type { AttemptFailure } from "./attempt.ts";

/** A request is sent at most this often more than once: 3 tries after the first. */
const RESENDS_MAX = 3;

/** A request that was held by a worker when it died may be what killed it: it meets one other, not the fleet. */
const DEATHS_MAX = 1;

/** Counts what a request has been through, and says whether it may be sent again. */
export class ResendRules {
  #resends = 0;
  #deaths = 0;

  /**
   * `repeatable`: the method and path allow it though a backend may have seen the request (`mayResend`);
   * `replayable`: the body is still here whole.
   */
  allows(failure: AttemptFailure, request: { repeatable: boolean; replayable: boolean }): boolean {
    if (!request.replayable || this.#resends >= RESENDS_MAX || !this.#safe(failure, request.repeatable))
      return false;
    if (failure.code === "link_lost" && failure.started && ++this.#deaths > DEATHS_MAX) return false;
    this.#resends++;
    return true;
  }

  /** Whether it may go to the next worker as a backend answered with an error; one of the same number of tries. */
  allowsFallback({ replayable }: { replayable: boolean }): boolean {
    return replayable && this.#resends < RESENDS_MAX;
  }

  fellBack(): void {
    this.#resends++;
  }

  #safe({ code, started }: AttemptFailure, repeatable: boolean): boolean {
    switch (code) {
      case "refused":
      case "backend_unreachable":
        return true;
      case "link_lost":
        return !started || repeatable;
      case "backend_broke_off":
        return repeatable;
      default:
        return false;
    }
  }
}
