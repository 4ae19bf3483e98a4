import { hasFreeSlot } from "./load.ts";
import { FREE_SLOT, isExact, type Order, ordersOf } from "./orders.ts";
import type { Candidate } from "./types.ts";
import type { Choice, Wanted } from "./wanted.ts";

/** A request is sent at most four times: once, and three re-sends. */
const BEST_MAX = 4;

/** Puts choices in order, best first. Made for one request, whose preferences say which orders count. */
export class Ranking {
  readonly #wanted: Wanted;
  #ordersThatCount: readonly Order[] | undefined;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** Not needed for a single candidate. */
  get #orders(): readonly Order[] {
    this.#ordersThatCount ??= ordersOf(this.#wanted);
    return this.#ordersThatCount;
  }

  /** Negative: `a` goes before `b`. The first order that tells two apart decides, the last tells any two apart. */
  compare(a: Choice, b: Choice): number {
    for (const order of this.#orders) {
      const difference = order.compare(a, b, this.#wanted);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** As `compare`, but who has no free slot does not go last: the best provider is the best while it is busy. */
  compareIdle(a: Choice, b: Choice): number {
    for (const order of this.#orders) {
      const difference = order === FREE_SLOT ? 0 : order.compare(a, b, this.#wanted);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /**
   * Put a choice in its place among the best, which are in order, and drop the last when there are more than
   * `BEST_MAX`. For most workers of a large fleet that is one comparison.
   */
  keepBest(best: Choice[], choice: Choice): void {
    let at = best.length;
    while (at > 0 && this.compare(choice, best[at - 1]!) < 0) at--;
    if (at === BEST_MAX) return;
    best.splice(at, 0, choice);
    if (best.length > BEST_MAX) best.pop();
  }

  /** Choices that are in order, with what put each behind the one before it. */
  toCandidates(ranked: readonly Choice[]): Candidate[] {
    return ranked.map((choice, at) => ({
      worker: choice.worker,
      model: this.#wanted.models[choice.at]!.name,
      exact: isExact(choice, this.#wanted),
      free: hasFreeSlot(choice.worker),
      behindBy: at === 0 ? undefined : this.#whatTells(ranked[at - 1]!, choice)?.name,
    }));
  }

  /** Why each of the choices, which are in order, is in its place: what tells it from a neighbour, and its value. */
  reasons(ranked: readonly Choice[]): string[] {
    return ranked.map((choice, at) => {
      const neighbour = at === 0 ? ranked[1] : ranked[at - 1];
      if (!neighbour) return "no other is left";
      const order = this.#whatTells(neighbour, choice);
      return order ? order.says(choice, this.#wanted) : "nothing tells it from the one before";
    });
  }

  #whatTells(a: Choice, b: Choice): Order | undefined {
    return this.#orders.find((order) => order.compare(a, b, this.#wanted) !== 0);
  }
}
