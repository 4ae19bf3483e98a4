import { RelayFailure } from "../../shared/failures.ts";
import { pathOf } from "../../shared/path_of.ts";
import type { RequestFacts } from "../intent/request_facts.ts";
import { type Intent, readIntent, wantsPeek } from "../intent.ts";
import { checkForCaller, checkMethod } from "../relay/check_request.ts";
import { ONE_READ_BYTES } from "../relay/request_body.ts";
import { namesEndpoint } from "../request_headers.ts";
import { reservedPath } from "../reserved_paths.ts";
import { type Explanation, explain } from "../routing/explain.ts";
import { loadOf } from "../routing/load.ts";
import { refusal } from "../routing/refusal.ts";
import type { FleetSnapshot, Rejection, RouteRequest } from "../routing/types.ts";
import { type ServeSettings, serveSettings } from "../settings.ts";
import { attempt, dryOverride, failureOf, type LiveOverride, refusedOverride } from "./dry_override.ts";
import type { ReportedCandidate, ReportedRejection, RouteReport } from "./report.ts";
import type { TestRequest } from "./test_request.ts";
import { wirePreferences } from "./wire_preferences.ts";

/** What of a relay's settings has a say in what becomes of a request, apart from the fleet. */
export type RelaySettings = Pick<
  ServeSettings,
  "allowPaths" | "denyPaths" | "maxHeaderSizeBytes" | "override" | "peekLimitBytes" | "replayLimitBytes"
> & { readonly liveOverride?: LiveOverride | undefined };

/** A relay that nobody has set up. */
export const DEFAULT_RELAY: RelaySettings = serveSettings.parse({});

/**
 * What `serve` would do with a request and why, found by what `serve` itself calls. Nothing is sent, reserved,
 * counted or rotated. Who asks is looked at only where the request names its own endpoint: API keys have no other say
 * in where one goes.
 * @throws RelayFailure `bad_request` for a path that the relay answers itself: nothing routes it
 */
export function dryRun(
  request: TestRequest,
  snapshot: FleetSnapshot,
  settings: RelaySettings = DEFAULT_RELAY,
): RouteReport {
  if (namesEndpoint(request.headers)) return overrideReport(request, settings);
  const intent = intentOf(request, settings);
  if (intent instanceof RelayFailure) return withoutRouting(request, refused(intent));
  if (intent === "reserved") {
    const { method, target } = request;
    throw new RelayFailure("bad_request", { detail: `the relay answers ${method} ${pathOf(target)} itself` });
  }
  const explanation = explain(intent.request, snapshot);
  return {
    version: 1,
    request: understood(intent),
    decision: decisionOf(explanation, intent, snapshot),
    funnel: [...explanation.decision.funnel],
    candidates: candidatesOf(explanation),
    rejections: explanation.rejections.map(rejectionOf),
    absent: explanation.absent.map(rejectionOf),
    override: null,
  };
}

/** What is asked of routing; undefined when the request does not get as far. */
export function routeRequestOf(
  request: TestRequest,
  settings: RelaySettings = DEFAULT_RELAY,
): RouteRequest | undefined {
  if (namesEndpoint(request.headers)) return undefined;
  const intent = intentOf(request, settings);
  return intent instanceof RelayFailure || intent === "reserved" ? undefined : intent.request;
}

/** What the door and the relay look at before they route, in the same order. */
function intentOf(request: TestRequest, settings: RelaySettings): Intent | RelayFailure | "reserved" {
  return attempt(() => {
    const reserved = reservedPath(pathOf(request.target), request.method);
    checkMethod(request.method);
    if (reserved) return "reserved";
    checkForCaller(request, settings);
    return readIntent(factsOf(request, settings));
  });
}

/** Where one goes that names its own endpoint, by the checks of `serve` in the same order. */
function overrideReport(request: TestRequest, settings: RelaySettings): RouteReport {
  const { override: policy, liveOverride } = settings;
  const off = new RelayFailure("override_not_allowed");
  const early = failureOf(() => {
    if (reservedPath(pathOf(request.target), request.method) || !policy) throw off;
    checkMethod(request.method);
  });
  if (early || !policy) {
    const failure = early ?? off;
    return { ...withoutRouting(request, refused(failure)), override: refusedOverride(request, failure.code) };
  }
  const { report: override, failure } = dryOverride(request, policy, liveOverride);
  const refusal = failure ?? failureOf(() => checkForCaller(request, settings));
  const decision = refusal ? refused(refusal) : ({ type: "dispatch", ...NOT_REFUSED } as const);
  return { ...withoutRouting(request, decision), override };
}

/** The body as far as the relay looks at it before it routes the request (`RequestBody.open`, `peek`). */
function factsOf({ body, ...head }: TestRequest, settings: RelaySettings): RequestFacts {
  const { peekLimitBytes, replayLimitBytes } = settings;
  const announced = Number(head.headers.get("content-length") ?? Number.NaN);
  const isReadAtOnce = announced <= Math.min(ONE_READ_BYTES, peekLimitBytes, replayLimitBytes);
  if (body === undefined || isReadAtOnce) return { ...head, peeked: body, whole: true };
  if (!wantsPeek(head.headers)) return { ...head, whole: false };
  // The end of one that is as long as the limit is not waited for.
  const whole = body.length < peekLimitBytes && body.length <= replayLimitBytes;
  return { ...head, peeked: whole ? body : body.subarray(0, peekLimitBytes), whole };
}

function understood({
  request,
  modelIn,
  warnings,
}: Pick<Intent, "request" | "modelIn" | "warnings">): RouteReport["request"] {
  const { method, path, model = null, models = [], preferences = {}, session = null, keptIds = [] } = request;
  return {
    method,
    path,
    model,
    model_in: modelIn,
    models: [...models],
    preferences: wirePreferences(preferences),
    session,
    kept_ids: [...keptIds],
    streaming: request.streaming,
    needs: [...request.needs],
    warnings: [...warnings],
  };
}

function decisionOf(
  { decision }: Explanation,
  { request }: Intent,
  snapshot: FleetSnapshot,
): RouteReport["decision"] {
  if (decision.type !== "refuse") return { type: decision.type, ...NOT_REFUSED };
  return { ...refused(refusal(decision, request, snapshot)), failed_rule: decision.failedRule };
}

const NOT_REFUSED = { code: null, status: null, message: null, failed_rule: null };

function refused({ code, status, message }: RelayFailure): RouteReport["decision"] {
  return { type: "refuse", code, status, message, failed_rule: null };
}

function candidatesOf({ candidates }: Explanation): ReportedCandidate[] {
  return candidates.map(({ worker, model = null, exact, free, reason }, at) => ({
    rank: at + 1,
    worker: worker.name,
    worker_id: worker.id,
    provider: worker.provider,
    model,
    exact,
    load: loadOf(worker),
    max_concurrent: worker.maxConcurrent,
    free,
    reason,
  }));
}

function rejectionOf({ worker, rule, detail }: Rejection): ReportedRejection {
  return { worker: worker.name, worker_id: worker.id, provider: worker.provider, rule, detail };
}

/** Nothing is known of it but its head. */
function withoutRouting({ method, target }: TestRequest, decision: RouteReport["decision"]): RouteReport {
  const request: Intent["request"] = {
    method,
    path: pathOf(target),
    model: undefined,
    needs: new Set(),
    streaming: false,
  };
  return {
    version: 1,
    request: understood({ request, modelIn: "none", warnings: [] }),
    decision,
    funnel: [],
    candidates: [],
    rejections: [],
    absent: [],
    override: null,
  };
}
