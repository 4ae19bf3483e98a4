import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ADMIN_TOKEN, lineHas } from "../support/admin_view.ts";
import { runProgram } from "../support/program.ts";
import { assertAgrees, EXPLAINED, send, whereItWouldGo } from "../support/routed_request.ts";
import { type Goes, type Members, prefers, requestOf, type Sent, step } from "../support/routed_session.ts";
import { SessionFleet, WORKER_NAMES, WORKERS, type WorkerName } from "../support/session_fleet.ts";

/** The same for what a relay learns as it goes: loads, sessions, who keeps what, who fails, and how fast all are. */

let fleet: SessionFleet;
before(async () => {
  fleet = await SessionFleet.start(1);
});
after(() => fleet?.[Symbol.asyncDispose]());

/** One after the other, each with the same rotation: attic has waited longest, or who is named. */
async function changes(steps: readonly [Sent, Goes][], turns?: readonly WorkerName[]): Promise<void> {
  for (const [sent, goes] of steps) {
    await fleet.takeTurns(turns);
    await step(fleet, sent, { goes, byCommand: goes === steps.at(-1)![1] });
  }
}

/** It waits in line, and goes to this worker as soon as that has a slot. */
async function waitsFor(name: WorkerName, sent: Sent, release: () => Promise<void>): Promise<void> {
  const { relay } = fleet;
  const report = await whereItWouldGo(relay, requestOf(sent));
  assert.equal(report.decision.type, "wait");
  assert.equal(report.candidates[0]?.worker, name);
  const landed = send(relay, requestOf(sent));
  await lineHas(relay, 1);
  await release();
  assertAgrees(report, await landed);
}

describe("loads", () => {
  test("who is busy goes behind", async () => {
    await changes([[{}, "attic"]]);
    await fleet.takeTurns();
    const release = await fleet.hold("attic");
    await step(fleet, {}, { goes: "rig3060", byCommand: true });
    await release();
  });

  test("a share of the slots counts, not a number", async () => {
    await fleet.takeTurns(["rig4090"]);
    const releases = [await fleet.hold("lab"), await fleet.hold("rig4090")];
    await step(fleet, { body: { model: "big" } }, "lab");
    for (const release of releases) await release();
  });

  test("sort by load goes before who names the model", async () => {
    await fleet.takeTurns();
    const releases = [await fleet.hold("lab"), await fleet.hold("rig4090")];
    await step(fleet, { body: { model: "big" } }, "lab");
    await step(fleet, prefers({ sort: "load" }, { model: "big" }), { goes: "cloud", byCommand: true });
    for (const release of releases) await release();
  });

  test("without fallbacks the best provider is waited for", async () => {
    await changes([[prefers({ sort: "price" }), "attic"]]);
    const release = await fleet.hold("attic");
    await step(fleet, prefers({ sort: "price" }), "rig3060");
    await waitsFor("attic", prefers({ sort: "price", allow_fallbacks: false }), release);
  });
});

describe("sessions", () => {
  const inSession = (session_id: string, more: Members = {}) => ({ body: { ...more, session_id } });

  test("stay with their worker, in body and header", async () => {
    await fleet.takeTurns(["lab"]);
    await step(fleet, inSession("one"), "lab");
    await changes([
      [{}, "attic"],
      [{ headers: { "x-session-id": "two" } }, "attic"],
      [{ headers: { "x-session-id": "one" } }, "lab"],
      [inSession("one"), "lab"],
    ]);
  });

  test("do not hold under order, sort, and when the worker is full", async () => {
    await changes([[inSession("three"), "lab"]], ["lab"]);
    await changes([
      [inSession("three", { provider: { order: ["cloud"] } }), "cloud"],
      [inSession("three", { provider: { sort: "price" } }), "attic"],
    ]);
    await changes([[inSession("four"), "lab"]], ["lab"]);
    await fleet.takeTurns();
    const release = await fleet.hold("lab", 4);
    await step(fleet, inSession("four"), "attic");
    await release();
  });
});

describe("follow-ups", () => {
  const get = (path: string): Sent => ({ method: "GET", path, body: null });

  test("go to who keeps what they are about, busy or not", async () => {
    await fleet.takeTurns(["lab"]);
    const { landed } = await step(fleet, { path: "/v1/responses" }, "lab");
    const { id } = JSON.parse(landed.text) as { id: string };
    const next = { path: "/v1/responses", body: { previous_response_id: id } };
    await changes([
      [get("/v1/responses/nobodys"), "rig3060"],
      [{ path: "/v1/responses" }, "rig3060"],
      [next, "lab"],
      [{ ...next, body: { ...next.body, provider: { order: ["home"] } } }, "lab"],
      [get(`/v1/responses/${id}/input_items?limit=3`), "lab"],
    ]);
    assert.equal((await step(fleet, get(`/v1/responses/${id}`), "lab")).landed.status, 200);
    await step(fleet, { ...next, body: { ...next.body, provider: { ignore: ["lab"] } } }, "rig3060");
    await waitsFor("lab", get(`/v1/responses/${id}`), await fleet.hold("lab", 4));
  });

  test("files are kept, too", async () => {
    await fleet.takeTurns(["rig4090"]);
    const upload: Sent = { path: "/v1/files", body: "bytes", headers: { "content-type": "text/plain" } };
    const { landed } = await step(fleet, upload, "rig4090");
    const { id } = JSON.parse(landed.text) as { id: string };
    await changes([
      [{ path: "/v1/batches", body: { input_file_id: "another" } }, "rig3060"],
      [{ path: "/v1/batches", body: { input_file_id: id } }, "rig4090"],
      [{ ...get(`/v1/files/${id}`), method: "DELETE" }, "rig4090"],
    ]);
  });
});

describe("backends that fail", () => {
  before(() => {
    fleet.backends.lab.failsWith = 503;
  });
  after(() => {
    fleet.backends.lab.failsWith = undefined;
  });

  test("are what the client gets, unless it named others", async () => {
    const tuned = { body: { model: "tuned" } };
    assert.equal((await step(fleet, tuned, "lab")).landed.status, 503);
    const { report } = await step(
      fleet,
      { body: { ...tuned.body, models: ["small"] } },
      { goes: "cloud", place: 1 },
    );
    assert.deepEqual([report.candidates[0]?.worker, report.candidates[0]?.model], ["lab", "tuned"]);
  });

  test("with order the next has it, unless fallbacks are not allowed", async () => {
    const order = ["lab", "home/4090"];
    const { report } = await step(fleet, prefers({ order }), { goes: "rig4090", place: 1, byCommand: true });
    assert.equal(report.candidates[0]?.worker, "lab");
    const { landed } = await step(fleet, prefers({ order: ["lab"], allow_fallbacks: false }), "lab");
    assert.equal(landed.status, 503);
  });
});

describe("what is told", () => {
  test("X-Signalbox-Route has the same candidates", async () => {
    for (const body of [{}, { provider: { sort: "price" } }, { provider: { zdr: true, only: ["lab"] } }]) {
      const request = requestOf({ body, headers: EXPLAINED });
      const report = await whereItWouldGo(fleet.relay, request);
      const landed = await send(fleet.relay, request);
      assertAgrees(report, landed);
      const { decision, candidates, funnel } = JSON.parse(landed.route!);
      assert.equal(decision, report.decision.type);
      assert.deepEqual(
        Object.entries(funnel),
        report.funnel.map(({ rule, left }) => [rule, left]),
      );
      const wanted = report.candidates.slice(0, 4).map(({ worker }) => worker);
      assert.deepEqual(
        (candidates ?? []).map(({ worker }: { worker: string }) => worker),
        wanted,
      );
    }
  });

  test("the command's expectations are those of a running relay", async () => {
    const expecting = (...flags: string[]) =>
      runProgram(
        [
          ...["route-test", "POST", "/v1/chat/completions", "--server", fleet.relay.url, "--model=small"],
          ...['--provider={"zdr":true}', "--session=five", ...flags],
        ],
        { env: { SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN } },
      );
    const held = await expecting("--expect-worker=rig4090", "--expect-provider=home", "--expect=dispatch");
    assert.equal(held.exitCode, 0, held.stdout);
    const missed = await expecting("--expect-provider=lab");
    assert.equal(missed.exitCode, 1, missed.stdout);
    await step(fleet, prefers({ zdr: true }, { session_id: "five" }), "rig4090");
  });
});

describe("speeds", () => {
  /** Enough that a slow one is no median. */
  const SAMPLES = 5;
  const timed = (provider: Members, model = "timed") => prefers(provider, { model, stream: true });

  test("that are not measured change nothing", async () => {
    const unknown = prefers({ sort: "throughput" }, { model: "medium" });
    await changes([[unknown, "rig4090"]], ["rig4090"]);
  });

  test("that are measured do", { timeout: 20_000 }, async () => {
    const warmUp = async (name: WorkerName) => {
      const only = [WORKERS[name].provider];
      for (let sample = 0; sample < SAMPLES; sample++) await send(fleet.relay, requestOf(timed({ only })));
    };
    await Promise.all(WORKER_NAMES.map(warmUp));
    await changes([
      [timed({}), "attic"],
      [timed({ preferred_max_latency: 0.18 }), "rig3060"],
      [timed({ preferred_max_latency: { p50: 0.18 }, preferred_min_throughput: 50 }), "lab"],
      [timed({ preferred_min_throughput: 50 }), "rig4090"],
      [timed({ order: ["attic"], preferred_min_throughput: { p50: 50 } }), "rig4090"],
      [timed({ only: ["attic"], preferred_min_throughput: 1_000_000 }), "attic"],
      [timed({}, "timed:nitro"), { to: "rig4090", model: "timed" }],
      [timed({ sort: "throughput" }), "rig4090"],
      [timed({ sort: "latency" }), "lab"],
    ]);
  });
});
