import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { RelayParts } from "./parts.ts";
import { RelayedRequest } from "./relayed_request.ts";

/** Takes any request to a worker and its answer back. */
export class Relay {
  readonly #parts: RelayParts;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  handle(request: Request, context: RequestContext): Promise<Response> {
    return new RelayedRequest(this.#parts, request, context).answer();
  }
}
