import { Http1Failure } from "./types.ts";

/**
 * The two sides of one exchange, each with its states and what leads from one to the next. All transitions are
 * in this table; a missing key is the error.
 *
 * `close` ends a side for good: the caller gave up, the exchange failed, or the response was complete before
 * the request was. What the caller still sends then, not knowing it yet, is thrown away.
 */
export const TRANSITIONS = {
  request: {
    open: { data: "open", end: "sent", close: "closed" },
    sent: { end: "sent", close: "sent" },
    closed: { data: "closed", end: "closed", close: "closed" },
  },
  response: {
    awaited: { head: "body", close: "closed" },
    body: { data: "body", end: "complete", close: "closed" },
    complete: { close: "complete" },
    closed: { close: "closed" },
  },
} as const;

type Side = keyof typeof TRANSITIONS;
export type RequestState = keyof (typeof TRANSITIONS)["request"];
export type ResponseState = keyof (typeof TRANSITIONS)["response"];
type Event = "head" | "data" | "end" | "close";

/** Where one exchange stands. */
export class ExchangeState {
  request: RequestState = "open";
  response: ResponseState = "awaited";

  /** @throws Http1Failure `local` when this event cannot come now: a caller sends a body behind its end */
  sends(event: "data" | "end" | "close"): void {
    this.request = next("request", this.request, event) as RequestState;
  }

  /** @throws Http1Failure `local` when this event cannot come now: a bug of ours */
  receives(event: Event): void {
    this.response = next("response", this.response, event) as ResponseState;
  }

  /** Both sides are complete: the connection has nothing left of this exchange. */
  get clean(): boolean {
    return this.request === "sent" && this.response === "complete";
  }

  /** Nothing is to be told any more. */
  get over(): boolean {
    return this.response === "complete" || this.response === "closed";
  }
}

function next(side: Side, state: string, event: Event): string {
  const table: Record<string, Partial<Record<Event, string>>> = TRANSITIONS[side];
  const following = table[state]?.[event];
  if (following !== undefined) return following;
  throw new Http1Failure("local", `Cannot take ${event} on the ${side}: it is ${state}`);
}
