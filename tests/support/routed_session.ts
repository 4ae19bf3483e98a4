import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAgrees, type ClientRequest, routeTestSays, send, whereItWouldGo } from "./routed_request.ts";
import { SessionFleet, type WorkerName } from "./session_fleet.ts";

export type Members = Readonly<Record<string, unknown>>;

/** What a step sends: a chat, unless it says otherwise. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or a text that its headers tell the type of; `null` is no body. */
  readonly body?: Members | string | null;
}

/** Where it is to go: the worker, and the model when that is not the one named; or the refusal. */
export type Goes =
  | WorkerName
  | { readonly to: WorkerName; readonly model: string }
  | { readonly code: string; readonly rule?: string };

/** Two requests that differ in what they ask of routing, and so go to different workers. */
export interface Change {
  readonly name: string;
  /** Who has waited longest when each request comes; then those not named. */
  readonly turns?: readonly WorkerName[];
  readonly without?: Sent;
  readonly was: Goes;
  readonly with: Sent;
  readonly now: Goes;
  /** A part of the warning that the second gets. */
  readonly warning?: RegExp;
  /** The second is asked about with the command. */
  readonly byCommand?: boolean;
}

/** The same, with how it is asked about, and how many candidates fail before the one where it goes. */
export interface Expected {
  readonly goes: Goes;
  /** With the command, not over HTTP. */
  readonly byCommand?: boolean;
  readonly place?: number;
}

export function requestOf({
  method = "POST",
  path = "/v1/chat/completions",
  headers = {},
  body = {},
}: Sent): ClientRequest {
  if (body === null) return { method, path, headers };
  if (typeof body === "string") return { method, path, headers, body };
  return {
    method,
    path,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "small", ...body }),
  };
}

/** Ask where it would go, send it, and see that both say what was expected. */
export async function step({ relay }: SessionFleet, sent: Sent, expected: Goes | Expected) {
  const { goes, byCommand = false, place = 0 } = isFull(expected) ? expected : { goes: expected };
  const request = requestOf(sent);
  const report = await (byCommand ? routeTestSays : whereItWouldGo)(relay, request);
  const landed = await send(relay, request);
  assertAgrees(report, landed, place);
  if (typeof goes === "object" && "code" in goes) {
    assert.deepEqual([report.decision.type, report.decision.code], ["refuse", goes.code]);
    if (goes.rule !== undefined) assert.equal(report.decision.failed_rule, goes.rule);
  } else {
    assert.equal(report.decision.type, "dispatch");
    assert.equal(landed.worker, typeof goes === "string" ? goes : goes.to);
    if (typeof goes === "object") assert.equal(landed.model, goes.model);
  }
  return { report, landed };
}

function isFull(expected: Goes | Expected): expected is Expected {
  return typeof expected === "object" && "goes" in expected;
}

/** A chat with a `provider`. */
export function prefers(provider: Members, body: Members = {}): Sent {
  return { body: { ...body, provider } };
}

/** A test for each change, with a live relay and five workers; each request comes with the same rotation. */
export function testChanges(groups: Readonly<Record<string, readonly Change[]>>): void {
  let fleet: SessionFleet;
  before(async () => {
    fleet = await SessionFleet.start(0);
  });
  after(() => fleet?.[Symbol.asyncDispose]());
  for (const [group, changes] of Object.entries(groups)) {
    for (const {
      name,
      turns,
      without = {},
      was,
      with: changed,
      now,
      warning,
      byCommand = false,
    } of changes) {
      test(`${group}: ${name}`, async () => {
        assert.notDeepEqual(was, now);
        await fleet.takeTurns(turns);
        await step(fleet, without, was);
        await fleet.takeTurns(turns);
        const { landed } = await step(fleet, changed, { goes: now, byCommand });
        assert.match(landed.warning ?? "", warning ?? /^$/);
      });
    }
  }
}
