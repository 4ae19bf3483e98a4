import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestRecord } from "../../../server/relay/request_record.ts";
import type { WorkerSnapshot } from "../../../server/routing/types.ts";
import { ReceivedFields } from "../../../shared/received_fields.ts";
import type { RequestContext } from "../../../shared/runtime/ports.ts";

const context = { target: "/", fields: new ReceivedFields(new Headers()) } as unknown as RequestContext;
const JSON_HEAD = { status: 200, headers: [["content-type", "application/json"]] as [string, string][] };
const EVENTS_HEAD = { status: 200, headers: [["content-type", "text/event-stream"]] as [string, string][] };

/** As a header carries it. */
const written = (name: string) => name.replace("é", "%C3%A9");

interface Had {
  provider: string;
  worker: string;
  model?: string;
  attempts?: number;
}

function recordOf({ provider, worker, model, attempts = 1 }: Had): RequestRecord {
  const record = new RequestRecord("POST", context, 0);
  record.attempts = attempts;
  const snapshot = { provider, name: worker } as WorkerSnapshot;
  record.answeredBy({ worker: snapshot, model, exact: true, free: true, behindBy: undefined });
  return record;
}

test("who had a request is told of that request, whatever the names of others are", () => {
  const names = ["a", "ab", "1 a", "-", "b", "1", "1 1", "a-", "-1 a", "é", ""];
  const hads: Had[] = names.flatMap((provider) =>
    names.flatMap((worker) =>
      [undefined, ...names].map((model) => ({ provider, worker, ...(model !== undefined && { model }) })),
    ),
  );
  // The second time they are remembered, but for what there was no room for.
  for (const had of [...hads, ...hads.toReversed()]) {
    const said = recordOf(had).sharedHeaders(JSON_HEAD);
    const { "x-signalbox-model": model, ...others } = Object.fromEntries(said);
    assert.equal(model, had.model === undefined ? undefined : written(had.model));
    assert.deepEqual(others, {
      via: "1.1 signalbox",
      "x-signalbox-provider": written(had.provider),
      "x-signalbox-worker": written(had.worker),
      "x-signalbox-attempts": "1",
    });
  }
});

test("names of any length that clients think up are not remembered", () => {
  const of = (model: string) => recordOf({ provider: "p", worker: "w", model }).sharedHeaders(JSON_HEAD);
  assert.equal(of("m"), of("m"));
  const long = "m".repeat(100_000);
  assert.notEqual(of(long), of(long));
  assert.equal(of(long).get("x-signalbox-model"), "m".repeat(256));
});

test("how often it was tried, and whether it is a stream, is told of that answer", () => {
  for (const attempts of [1, 11, 2, 1]) {
    const record = recordOf({ provider: "p", worker: "w", attempts });
    assert.equal(record.sharedHeaders(JSON_HEAD).get("x-signalbox-attempts"), String(attempts));
    assert.equal(record.sharedHeaders(EVENTS_HEAD).get("x-signalbox-attempts"), String(attempts));
    assert.equal(record.sharedHeaders(JSON_HEAD).get("x-accel-buffering"), null);
    assert.equal(record.sharedHeaders(EVENTS_HEAD).get("x-accel-buffering"), "no");
  }
});

test("the id of a request is in no other's answer", () => {
  const ids = [1, 2].map(() => {
    const record = recordOf({ provider: "p", worker: "w" });
    const headers = new Headers(record.sharedHeaders(JSON_HEAD));
    record.addOwnHeaders(headers);
    assert.equal(headers.get("x-signalbox-request-id"), record.requestId);
    return record.requestId;
  });
  assert.notEqual(ids[0], ids[1]);
  assert.equal(
    recordOf({ provider: "p", worker: "w" }).sharedHeaders(JSON_HEAD).has("x-signalbox-request-id"),
    false,
  );
});
