import { Elysia, ParseError, ValidationError } from "elysia";
import { type FailureOptions, RelayFailure } from "../shared/failures.ts";
import { pathOf } from "../shared/path_of.ts";
import type { FieldReader } from "../shared/received_fields.ts";
import { measuredReport, workerHealth, workerReport, workersOf } from "./admin/reports.ts";
import { modelById, modelList } from "./catalogue.ts";
import type { Dashboard } from "./dashboard/dashboard.ts";
import type { Fleet } from "./fleet.ts";
import type { WorkerLink } from "./hub/worker_connection.ts";
import type { Relay } from "./relay/relay.ts";
import { contextOf, keepAnswer } from "./request_contexts.ts";
import { answerRouteTest, badRouteTest, routeTestBody } from "./route_test/answer_route_test.ts";
import type { RelaySettings } from "./route_test/dry_run.ts";
import type { ServeSettings } from "./settings.ts";
import type { WaitingLine } from "./waiting_line.ts";

export interface AppParts {
  relay: Pick<Relay, "handle">;
  dashboard: Dashboard;
  fleet: Fleet<WorkerLink>;
  line: Pick<WaitingLine<WorkerLink>, "length">;
  version: string;
  /** `provider`, that of workers that name none, is what `/health` calls `models_provider`, as ModelRelay. */
  settings: RelaySettings & Pick<ServeSettings, "provider">;
  /** How often each override endpoint was used; undefined: there are none. */
  overrides(): Record<string, Record<string, number>> | undefined;
  /** How many requests were relayed or refused, by what came of them; undefined: none yet. */
  requests(): Record<string, number> | undefined;
  /** Whether a request shows the admin token, or a session of the dashboard. */
  isAdmin(headers: FieldReader): boolean;
  /** Milliseconds since 1970. */
  timeMs(): number;
}

/** Stands for the answer of a request that is relayed. */
const RELAYED = new Response();

/**
 * The HTTP surface: reserved paths, and one catch-all for everything else. Who may call what was decided before
 * (`front.ts`, `reserved_paths.ts`). The type `App` is what typed clients (Eden) are made of.
 */
export function makeApp(parts: AppParts) {
  const startedMs = parts.timeMs();
  const createdS = Math.floor(startedMs / 1000);
  return (
    // Strict: `/health/` is not `/health`, so it is relayed.
    new Elysia({ strictPath: true, handler: { standardHostname: false } })
      .onError(({ error }) => {
        throw asFailure(error);
      })
      .get("/health", ({ request }) => health(parts, request, startedMs))
      .get("/v1/models", () => modelList(parts.fleet.snapshot(), createdS))
      .get("/v1/models/*", ({ request }) => {
        const id = pathOf(contextOf(request).target).slice("/v1/models/".length);
        const model = modelById(parts.fleet.snapshot(), id, createdS);
        if (!model) throw new RelayFailure("model_not_found", { param: "model" } satisfies FailureOptions);
        return model;
      })
      .get("/admin/workers", () => ({ workers: workersOf(parts.fleet).map(workerReport) }))
      .get("/admin/stats", () => ({
        queue_depth: { [parts.settings.provider]: parts.line.length },
        active_workers: workersOf(parts.fleet).length,
        ...countsReport(parts),
        ...measuredReport(parts.fleet.snapshot()),
      }))
      .post(
        "/admin/route-test",
        ({ body }) => answerRouteTest(body, parts.fleet.snapshot(), parts.settings),
        { body: routeTestBody, parse: "json" },
      )
      .get("/dashboard", ({ request }) => parts.dashboard.page(contextOf(request)))
      .post("/dashboard/sign-in", ({ request }) => parts.dashboard.signIn(request, contextOf(request)), {
        parse: "none",
      })
      .post("/dashboard/sign-out", ({ request }) => parts.dashboard.signOut(contextOf(request)), {
        parse: "none",
      })
      // The answer goes past Elysia, which would wait for it to find a Response. The handler asks for nothing but the
      // request, so that nothing parses the body: it is the backend's.
      .all("/*", ({ request }) => {
        keepAnswer(request, parts.relay.handle(request, contextOf(request)));
        return RELAYED;
      })
  );
}

export type App = ReturnType<typeof makeApp>;

/** Nothing while there is nothing to tell. */
function countsReport(parts: AppParts) {
  const requests = parts.requests();
  const overrides = parts.overrides();
  return { ...(requests && { requests }), ...(overrides && { overrides }) };
}

/** Everybody may know that the relay lives; who works for it is for its operator. */
function health(parts: AppParts, request: Request, startedMs: number) {
  const workers = workersOf(parts.fleet);
  const basic = { status: "ok" as const, workers_connected: workers.length };
  if (!parts.isAdmin(contextOf(request).fields)) return basic;
  return {
    ...basic,
    version: parts.version,
    queue_depth: parts.line.length,
    uptime_secs: (parts.timeMs() - startedMs) / 1000,
    ...(workers.length > 0 && { workers: workers.map(workerHealth) }),
    models_provider: parts.settings.provider,
  };
}

/** Elysia's own errors are about the one body that it parses for us. */
function asFailure(error: unknown): unknown {
  if (error instanceof ParseError)
    return new RelayFailure("bad_request", { detail: "the body is not JSON", cause: error });
  return error instanceof ValidationError ? badRouteTest(error.valueError, error.value) : error;
}
