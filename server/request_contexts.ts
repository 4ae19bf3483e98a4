import type { RequestContext } from "../shared/runtime/ports.ts";

/** Elysia hands a `Request` on as it is and knows nothing of what the listener knows beside it. */
interface Arrived {
  /** A property of the object, not a `WeakMap` beside it: such a map is gone through at each collection of garbage. */
  [CONTEXT]?: RequestContext;
  /** Of a request that is relayed. */
  [ANSWER]?: Promise<Response>;
}

const CONTEXT = Symbol("context");
const ANSWER = Symbol("answer");

export function keepContext(request: Request & Arrived, context: RequestContext): void {
  request[CONTEXT] = context;
}

/** @throws Error for a request that no listener took: a mistake of ours */
export function contextOf(request: Request & Arrived): RequestContext {
  const context = request[CONTEXT];
  if (!context) throw new Error("Cannot find the context of a request: it came past the listener");
  return context;
}

export function keepAnswer(request: Request & Arrived, answer: Promise<Response>): void {
  request[ANSWER] = answer;
}

/** Undefined: it is not relayed. */
export function answerOf(request: Request & Arrived): Promise<Response> | undefined {
  return request[ANSWER];
}
