/**
 * The life of one exchange on a framed link, as a table. Each direction is a half; what a half may carry next is
 * a key of its state, and a missing key is the error: local misuse on the sending end, `LinkProtocolError` on
 * the receiving one. This file does not know which end it serves: the relay sends request halves and receives
 * response halves, the worker the other way round. A RESET ends both halves from any state.
 */

export type HalfState = "request_body" | "awaiting" | "started" | "response_body" | "ended";
export type HalfEvent = "started" | "response" | "data" | "end";

const NEXT: Record<HalfState, Partial<Record<HalfEvent, HalfState>>> = {
  /** A request half after its head. */
  request_body: { data: "request_body", end: "ended" },
  /** A response half before anything was said. STARTED may be left out by a worker that answers itself. */
  awaiting: { started: "started", response: "response_body" },
  started: { response: "response_body" },
  response_body: { data: "response_body", end: "ended" },
  ended: {},
};

/** The state after `event`, or undefined when it may not happen in `state`. */
export function nextState(state: HalfState, event: HalfEvent): HalfState | undefined {
  return NEXT[state][event];
}

/** All of it, for the docs and the tests. */
export const HALF_STATES: Readonly<typeof NEXT> = NEXT;
