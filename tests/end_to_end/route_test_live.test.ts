import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RouteReport } from "../../server/route_test/report.ts";
import { ReaderFolder } from "../architecture/reader.ts";
import { endRelay, startRelay, workersOf, workersWhen } from "../support/admin_view.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { type RelayProgram, runProgram, WorkerProgram } from "../support/program.ts";

/** `route-test --server`: what a running relay would do, against what it then does. */

const LIMIT = { timeout: 30_000 };
const TOKEN = "admin-token-of-the-tests";
const CHAT = "/v1/chat/completions";

describe("route-test asks a relay", () => {
  let backend: EchoBackend;
  let relay: RelayProgram;
  const workers: WorkerProgram[] = [];
  const folder = new ReaderFolder();

  before(async () => {
    backend = await EchoBackend.start();
    relay = await startRelay(["--deny-path=/denied"]);
    for (const [name, provider] of [
      ["attic", "home/4090"],
      ["cellar", "home/3090"],
      ["rack", "lab"],
    ] as const) {
      const flags = [
        `--worker-name=${name}`,
        `--provider=${provider}`,
        "--models=llama3",
        "--max-concurrency=2",
      ];
      workers.push(await WorkerProgram.start(relay.url, backend.url, flags));
    }
  });

  after(async () => {
    folder[Symbol.dispose]();
    for (const worker of workers) await worker.kill();
    await endRelay(relay);
    await backend?.[Symbol.asyncDispose]();
  });

  const routeTest = (...args: string[]) =>
    runProgram(["route-test", ...args, "--server", relay.url], {
      cwd: folder.path,
      env: { SIGNALBOX_ADMIN_TOKEN: TOKEN },
    });

  async function reportOf(...args: string[]): Promise<RouteReport> {
    const { stdout, stderr } = await routeTest(...args, "--json");
    assert.equal(stderr, "");
    return JSON.parse(stdout);
  }

  async function serve(body: object): Promise<string | null> {
    const response = await fetch(relay.url + CHAT, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    await response.body?.cancel();
    return response.headers.get("x-signalbox-worker");
  }

  test("which then does what it said", LIMIT, async () => {
    for (const provider of [{ order: ["lab"] }, { only: ["home"] }, { ignore: ["lab", "home/4090"] }, {}]) {
      const { decision, candidates } = await reportOf(
        "POST",
        CHAT,
        "--model=llama3",
        "--provider",
        JSON.stringify(provider),
      );
      assert.equal(decision.type, "dispatch");
      assert.equal(await serve({ model: "llama3", provider }), candidates[0]!.worker);
    }
  });

  test("and takes, counts and rotates nothing", LIMIT, async () => {
    const before = await workersOf(relay);
    const first = await reportOf("POST", CHAT, "--model=llama3");
    assert.deepEqual(await reportOf("POST", CHAT, "--model=llama3"), first);
    assert.deepEqual(await workersOf(relay), before);
    const order = first.candidates.map(({ worker }) => worker);
    assert.equal(await serve({ model: "llama3" }), order[0]);
    const next = await reportOf("POST", CHAT, "--model=llama3");
    assert.deepEqual(
      next.candidates.map(({ worker }) => worker),
      [...order.slice(1), order[0]],
    );
  });

  test("which tells people the same as a file would", LIMIT, async () => {
    const { exitCode, stdout } = await routeTest("POST", CHAT, "--model=llama4");
    assert.equal(exitCode, 1);
    assert.match(stdout, /^ {2}attic {3}home\/4090 {2}model: wanted "llama4", it serves llama3$/m);
    assert.match(stdout, /^refuse: 404 model_not_found/m);
  });

  test("which goes by its own settings", LIMIT, async () => {
    assert.equal((await reportOf("POST", "/denied/x")).decision.code, "path_not_allowed");
    const { exitCode, stdout, stderr } = await routeTest("POST", "/denied/x", "--record=case.toml");
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, /error: Cannot record the scenario: .*path_not_allowed/);
  });

  test("and records what it said as a scenario that passes", LIMIT, async () => {
    const session = "talk-7";
    const worker = await serve({ model: "llama3", session_id: session });
    const body = folder.write("request.json", `{"model":"llama3","session_id":"${session}","stop":null}`);
    const recorded = await routeTest(
      "POST",
      CHAT,
      "--body",
      body,
      "--header=Authorization: Bearer hunter2",
      "--record=case.toml",
    );
    assert.deepEqual([recorded.exitCode, recorded.stderr], [0, ""]);
    const text = readFileSync(join(folder.path, "case.toml"), "utf8");
    assert.match(
      text,
      new RegExp(`\\[\\[session\\]\\]\nsession = "${session}"\nmodel = "llama3"\nworker = "${worker}"`),
    );
    assert.doesNotMatch(text, /hunter2/);
    const { exitCode, stdout } = await runProgram([
      "route-test",
      "--scenario",
      join(folder.path, "case.toml"),
    ]);
    assert.equal(exitCode, 0, stdout);
  });

  test("also of workers that are gone", LIMIT, async () => {
    await using van = await WorkerProgram.start(relay.url, backend.url, [
      "--worker-name=van",
      "--models=gemma2",
    ]);
    await van.kill();
    await workersWhen(relay, (all) => all.length === 3);
    const { exitCode, stdout } = await routeTest("POST", CHAT, "--model=gemma2", "--record=gone.toml");
    assert.equal(exitCode, 0);
    assert.match(stdout, /Left a moment ago\n {2}van .*\n\nwait:/);
    const { stdout: run } = await runProgram(["route-test", "--scenario", join(folder.path, "gone.toml")]);
    assert.match(run, /^1 passed$/m);
  });
});
