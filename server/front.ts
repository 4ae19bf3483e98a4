import { RelayFailure, toFailure } from "../shared/failures.ts";
import { log } from "../shared/log.ts";
import { pathOf } from "../shared/path_of.ts";
import type { RequestContext } from "../shared/runtime/ports.ts";
import type { Cors } from "./cors.ts";
import { failureResponse } from "./failure_response.ts";
import type { Hub } from "./hub/hub.ts";
import { answerOf, keepContext } from "./request_contexts.ts";
import { asksForWebSocket, namesEndpoint } from "./request_headers.ts";
import { type Credential, reservedPath } from "./reserved_paths.ts";

const WORKER_CONNECT_PATH = "/v1/worker/connect";

export interface FrontParts {
  hub: Pick<Hub, "connect">;
  app: { fetch(request: Request): Response | Promise<Response> };
  cors: Cors;
  /** There is a page of this origin that somebody signs in to. */
  hasDashboard: boolean;
  /** Let through who may have what is reserved. @throws RelayFailure */
  admit(method: string, context: RequestContext, credential: Credential): void;
}

/**
 * What every request meets first. Elysia finds the path by counting characters from the start of the URL, so that a
 * crafted `Host` would steer its router: the name is checked before. Upgrades of workers are taken here, as the
 * runtimes need the bare request for them.
 */
export class Front {
  readonly #parts: FrontParts;

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  handle(request: Request, context: RequestContext): Response | Promise<Response> {
    const path = pathOf(context.target);
    const origin = this.#parts.cors.allowedOrigin(context.fields, path);
    if (origin === undefined) return this.#answer(request, context, path);
    const preflight = this.#parts.cors.preflight(request, origin);
    return preflight ?? this.#answerPage(request, context, { path, origin });
  }

  async #answerPage(
    request: Request,
    context: RequestContext,
    { path, origin }: { path: string; origin: string },
  ): Promise<Response> {
    return this.#parts.cors.stamp(await this.#answer(request, context, path), origin);
  }

  #answer(request: Request, context: RequestContext, path: string): Response | Promise<Response> {
    try {
      if (!isHost(context.fields.get("host"))) throw new RelayFailure("bad_host");
      if (path === WORKER_CONNECT_PATH) return workerDoor(this.#parts.hub, request, context);
      const reserved = reservedPath(path, request.method);
      keepContext(request, context);
      showPath(request);
      if (!reserved) return this.#relayed(request, context);
      // What is meant for a customer's own endpoint is never answered with what the shared workers have.
      if (namesEndpoint(context.fields)) throw new RelayFailure("override_not_allowed");
      this.#parts.admit(request.method, context, reserved.credential);
      return this.#reserved(request, context, reserved.credential);
    } catch (thrown) {
      return refuse(toFailure(thrown), request, context);
    }
  }

  /**
   * A service worker of a backend's page would stay in the operator's browser and answer for `/dashboard` itself. The
   * header comes with each fetch of its script, and with nothing else (Service Workers 3.3.1, "Update").
   */
  #relayed(request: Request, context: RequestContext): Response | Promise<Response> {
    if (this.#parts.hasDashboard && context.fields.get("service-worker") === "script") {
      const detail = "the relay has a dashboard: beside it no page gets a service worker";
      throw new RelayFailure("path_not_allowed", { detail });
    }
    const response = this.#parts.app.fetch(request);
    return answerOf(request) ?? response;
  }

  /** The handlers of reserved paths are plain functions: what they throw arrives here, not at the relay. */
  async #reserved(request: Request, context: RequestContext, credential: Credential): Promise<Response> {
    try {
      const response = await this.#parts.app.fetch(request);
      // A cookie may have opened it, which caches do not ask for.
      if (credential !== "client" && !response.headers.has("cache-control"))
        response.headers.set("cache-control", "no-store");
      return response;
    } catch (thrown) {
      return refuse(toFailure(thrown), request, context);
    }
  }
}

/**
 * Elysia takes for the path what begins with the first slash from the eighth character on: with `https:` that is the
 * host, and `Host: admin` with `/workers` would be `/admin/workers`.
 */
function showPath(request: Request): void {
  if (!request.url.startsWith("https:")) return;
  Object.defineProperty(request, "url", { value: `http${request.url.slice("https".length)}` });
}

function workerDoor(hub: FrontParts["hub"], request: Request, context: RequestContext): Response {
  if (request.method !== "GET") throw new RelayFailure("method_not_allowed", { headers: { allow: "GET" } });
  if (!asksForWebSocket(context.fields)) {
    throw new RelayFailure("bad_request", { detail: "workers connect here, with a WebSocket" });
  }
  return hub.connect(request, context);
}

function refuse(failure: RelayFailure, request: Request, context: RequestContext): Response {
  const requestId = crypto.randomUUID();
  const path = pathOf(context.target);
  const level = failure.code === "internal_error" ? "error" : "info";
  log[level]("A request was refused at the door", {
    code: failure.code,
    path,
    peer: context.peer,
    request_id: requestId,
    cause: failure.cause,
  });
  return failureResponse(failure, { method: request.method, path, headers: context.fields, requestId });
}

/** One `host` or `host:port` (RFC 9110 7.2): a comma or a space tells of two, or of what is no name at all. */
function isHost(host: string | null): boolean {
  return (
    host !== null && host.length <= 262 && /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host)
  );
}
