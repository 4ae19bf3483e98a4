import type { RequestContext } from "../shared/runtime/ports.ts";

/** Elysia hands a `Request` on as it is and knows nothing of what the listener knows beside it. */
const contexts = new WeakMap<Request, RequestContext>();

export function keepContext(request: Request, context: RequestContext): void {
  contexts.set(request, context);
}

/** @throws Error for a request that no listener took: a mistake of ours */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  if (!context) throw new Error("Cannot find the context of a request: it came past the listener");
  return context;
}
