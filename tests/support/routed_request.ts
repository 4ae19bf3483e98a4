import assert from "node:assert/strict";
import type { RouteReport } from "../../server/route_test/report.ts";
import { ADMIN_TOKEN } from "./admin_view.ts";
import { type RelayProgram, runProgram } from "./program.ts";

/** A request as a client sends it, and as `route-test` is asked about it: the same bytes. */
export interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Where a request went, as the relay and the backend say it. */
export interface Landed {
  readonly method: string;
  readonly status: number;
  readonly worker: string | undefined;
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly attempts: string | undefined;
  readonly warning: string | undefined;
  /** `X-Signalbox-Route`, which goes to who may see it. */
  readonly route: string | undefined;
  /** The backend that answered. */
  readonly backend: string | undefined;
  /** The model in the JSON that the backend read. */
  readonly seenModel: string | undefined;
  readonly text: string;
}

const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** Asks the relay to tell the decision with its answer. */
export const EXPLAINED = { ...ADMIN, "x-signalbox-explain": "1" };

/** An answer that takes longer will not come. */
const PATIENCE_MS = 10_000;

/** `POST /admin/route-test`: what it answers, and with which status. */
export async function askRelay(relay: RelayProgram, request: ClientRequest) {
  const { body, headers, ...rest } = request;
  const table = {
    ...rest,
    // Of a body without a type route-test makes one of JSON, which this client does not say.
    headers: { ...(body !== undefined && { "content-type": "" }), ...headers },
    ...(body !== undefined && { body_text: body }),
  };
  const answer = await fetch(`${relay.url}/admin/route-test`, {
    method: "POST",
    headers: { ...ADMIN, "content-type": "application/json" },
    body: JSON.stringify(table),
  });
  return { status: answer.status, text: await answer.text() };
}

export async function whereItWouldGo(relay: RelayProgram, request: ClientRequest): Promise<RouteReport> {
  const { status, text } = await askRelay(relay, request);
  assert.equal(status, 200, text);
  return JSON.parse(text) as RouteReport;
}

/** The same with `signalbox route-test --server`, a process. */
export async function routeTestSays(relay: RelayProgram, request: ClientRequest): Promise<RouteReport> {
  const { method, path, headers, body } = request;
  const fields = Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`);
  const { stdout, stderr, exitCode } = await runProgram(
    [
      "route-test",
      method,
      path,
      "--server",
      relay.url,
      "--json",
      ...fields,
      ...(body ? ["--body", "-"] : []),
    ],
    { env: { SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN }, ...(body && { stdin: body }) },
  );
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as RouteReport;
  assert.equal(exitCode, report.decision.type === "refuse" ? 1 : 0);
  return report;
}

/** Send it, and read the whole answer. */
export async function send(relay: RelayProgram, request: ClientRequest): Promise<Landed> {
  const { method, path, headers, body } = request;
  const { "transfer-encoding": chunked, ...fields } = headers;
  // Bytes: for a text fetch would make up a type. A stream has no length that could be announced.
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const answer = await fetch(`${relay.url}${path}`, {
    method,
    headers: fields,
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(bytes && { body: chunked ? streamOf(bytes) : bytes, duplex: "half" }),
  });
  const header = (name: string) => answer.headers.get(name) ?? undefined;
  const decoded = (name: string) => {
    const value = header(name);
    return value === undefined ? undefined : decodeURIComponent(value);
  };
  return {
    method,
    status: answer.status,
    worker: header("x-signalbox-worker"),
    provider: header("x-signalbox-provider"),
    model: decoded("x-signalbox-model"),
    attempts: header("x-signalbox-attempts"),
    warning: decoded("x-signalbox-warning"),
    route: header("x-signalbox-route"),
    backend: header("x-backend"),
    seenModel: decoded("x-seen-model"),
    text: await answer.text(),
  };
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** What was sent landed on the candidate in this place, or was refused as was said. */
export function assertAgrees(report: RouteReport, landed: Landed, place = 0): void {
  assert.equal(landed.warning, report.request.warnings.join("; ") || undefined);
  const { type, code, status, message, failed_rule } = report.decision;
  if (type === "refuse") {
    assert.equal(landed.worker, undefined);
    assert.equal(landed.status, status);
    if (landed.method === "HEAD") return assert.equal(landed.text, "");
    return assert.deepEqual(refusalIn(landed.text), { code, message, failed_rule });
  }
  const candidate = report.candidates[place];
  assert.ok(candidate);
  assert.deepEqual(
    [landed.worker, landed.provider, landed.model ?? null, landed.backend, landed.attempts],
    [candidate.worker, candidate.provider, candidate.model, candidate.worker, String(place + 1)],
  );
}

/** A refusal, in the form of whichever API the path belongs to. */
function refusalIn(text: string) {
  const body = JSON.parse(text) as { error: ErrorMembers | string } & ErrorMembers;
  const error = typeof body.error === "string" ? { ...body, message: body.error } : body.error;
  const code = typeof error.code === "string" ? error.code : error.metadata?.code;
  return { code, message: error.message, failed_rule: error.metadata?.failed_rule ?? null };
}

interface ErrorMembers {
  readonly message?: string;
  readonly code?: string | number;
  readonly metadata?: { readonly code?: string; readonly failed_rule?: string };
}
