import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { RouteReport } from "../../server/route_test/report.ts";
import { lineHas } from "../support/admin_view.ts";
import { PEEK_LIMIT_BYTES, type RandomRequest, randomRequests } from "../support/random_requests.ts";
import { askRelay, assertAgrees, type ClientRequest, type Landed, send } from "../support/routed_request.ts";
import { SessionFleet, WORKER_NAMES, type WorkerName } from "../support/session_fleet.ts";

/** What `POST /admin/route-test` says of a request is what becomes of it a moment later: 1,000 of them. */

const COUNT = 1000;
/** Another one for this run: SIGNALBOX_TEST_SEED. */
const SEED = Number(process.env.SIGNALBOX_TEST_SEED ?? 20_261_119);

/** Of a request, in a message. */
const SHOWN_CHARS = 2_000;

/** So many requests long the same workers are busy. */
const SPELL = 10;
/** Slots that are taken in a spell, in turn; a worker's number of slots is all of them. */
const SPELLS: readonly Partial<Record<WorkerName, number>>[] = [
  {},
  { attic: 1 },
  { lab: 3, rig4090: 1 },
  { rig3060: 1, rig4090: 2 },
  { cloud: 3, lab: 4 },
  { attic: 1, rig3060: 1, rig4090: 2, lab: 4 },
];

/** The requests, one after the other, and what became of them. */
class Session {
  /** How often what happened. */
  readonly counts: Record<string, number> = {};
  readonly #fleet: SessionFleet;
  readonly #kept: string[] = [];
  readonly #releases = new Map<WorkerName, () => Promise<void>>();

  constructor(fleet: SessionFleet) {
    this.#fleet = fleet;
  }

  async spell(busy: Partial<Record<WorkerName, number>>): Promise<void> {
    await Promise.all(WORKER_NAMES.map((name) => this.#release(name)));
    const take = async ([name, slots]: [string, number]) => {
      this.#releases.set(name as WorkerName, await this.#fleet.hold(name as WorkerName, slots));
    };
    await Promise.all(Object.entries(busy).map(take));
  }

  async agreesOn(random: RandomRequest): Promise<void> {
    const { relay } = this.#fleet;
    const request = this.#request(random);
    const asked = await askRelay(relay, request);
    const report = JSON.parse(asked.text) as RouteReport;
    if (asked.status === 400) {
      assert.match(asked.text, /the relay answers \w+ \S+ itself/);
      assert.equal((await send(relay, request)).worker, undefined);
      return this.#count("answered by the relay itself");
    }
    assert.equal(asked.status, 200, asked.text);
    const landed =
      report.decision.type === "wait" ? await this.#waits(request, report) : await send(relay, request);
    assertAgrees(report, landed);
    if (report.decision.type === "dispatch") assertExplained(report, landed);
    this.#note(request, report, landed);
  }

  #request({ keptAt, path, body, ...rest }: RandomRequest): ClientRequest {
    const id = this.#kept[keptAt % this.#kept.length] ?? "none-yet";
    const filled = (text: string) => text.replaceAll("{kept}", id);
    return { ...rest, path: filled(path), ...(body !== undefined && { body: filled(body) }) };
  }

  /** It stands in line until the first candidate has a slot, though others are free or will be. */
  async #waits(request: ClientRequest, { candidates }: RouteReport): Promise<Landed> {
    const name = candidates[0]!.worker as WorkerName;
    assert.ok(this.#releases.has(name), `${name} is busy`);
    const landed = send(this.#fleet.relay, request);
    await lineHas(this.#fleet.relay, 1);
    await this.#release(name);
    return await landed;
  }

  async #release(name: WorkerName): Promise<void> {
    await this.#releases.get(name)?.();
    this.#releases.delete(name);
  }

  #note({ body = "", headers }: ClientRequest, { decision, request }: RouteReport, landed: Landed): void {
    this.#count(decision.type);
    if (decision.type === "refuse") return this.#count(`refused: ${decision.failed_rule ?? decision.code}`);
    this.#count(`at ${landed.worker}`);
    const named = headers["content-type"] === "application/json" && request.model_in === "body";
    // A body that is sent on without a look at all of it may name another model further on.
    if (named && body.length < PEEK_LIMIT_BYTES && landed.seenModel)
      assert.equal(landed.seenModel, landed.model);
    if (landed.status !== 200 || !landed.text.startsWith("{")) return;
    const { id } = JSON.parse(landed.text) as { id?: string };
    if (id) this.#kept.push(id);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

/** The answer names the four best candidates, to who may see them. */
function assertExplained({ candidates }: RouteReport, { route }: Landed): void {
  if (route === undefined) return;
  const told = JSON.parse(route) as { candidates?: { worker: string; model?: string }[] };
  assert.deepEqual(
    (told.candidates ?? []).map(({ worker, model = null }) => [worker, model]),
    candidates.slice(0, 4).map(({ worker, model }) => [worker, model]),
  );
}

test(`${COUNT} random requests go where route-test says`, { timeout: 120_000 }, async () => {
  await using fleet = await SessionFleet.start(0.02, [
    ...[`--peek-limit=${PEEK_LIMIT_BYTES}`, "--replay-limit=128KiB", "--deny-path=/secret"],
  ]);
  const session = new Session(fleet);
  for (const [at, random] of randomRequests(SEED, COUNT).entries()) {
    if (at % SPELL === 0) await session.spell(SPELLS[(at / SPELL) % SPELLS.length]!);
    try {
      await session.agreesOn(random);
    } catch (error) {
      throw new Error(`Request ${at} of seed ${SEED}: ${JSON.stringify(random).slice(0, SHOWN_CHARS)}`, {
        cause: error,
      });
    }
  }
  await session.spell({});
  const { counts } = session;
  const few = ["dispatch", "refuse", "wait", ...WORKER_NAMES.map((name) => `at ${name}`)].filter(
    (what) => (counts[what] ?? 0) < COUNT / 50,
  );
  assert.deepEqual(few, [], JSON.stringify(counts));
});
