import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BackendModels } from "../../worker/catalog.ts";
import { ServedModels } from "../../worker/models.ts";
import { FakeClock } from "../support/fake_clock.ts";

const RETRY_MS = 5_000;
const REFRESH_MS = 60_000;

/** A list that follows a backend which says what the test puts into `answer`. */
function follow(configured: string[], answer: BackendModels) {
  const clock = new FakeClock();
  const changes: (readonly string[])[] = [];
  const reachable: boolean[] = [];
  const state = { answer, asked: 0 };
  const models = new ServedModels({
    configured,
    clock,
    ask: async () => {
      state.asked++;
      return state.answer;
    },
    changed: (list) => changes.push(list),
    reachable: (isReachable) => reachable.push(isReachable),
  });
  return { clock, models, changes, reachable, state };
}

/** Time passes, and what was asked then is answered. */
async function later(clock: FakeClock, ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test("named models are served as they are: the backend is not asked", async () => {
  const { models, state, clock } = follow(["a", "b"], { kind: "unreachable" });
  await models.refresh();
  assert.deepEqual(models.current, ["a", "b"]);
  assert.equal(state.asked, 0);
  assert.equal(clock.pending, 0);
});

describe("* follows the backend", () => {
  test("to what it lists", async () => {
    const { models, changes } = follow(["*"], { kind: "listed", models: ["x", "y"] });
    await models.refresh();
    assert.deepEqual(models.current, ["x", "y"]);
    assert.deepEqual(changes, [["x", "y"]]);
  });

  test("to everything when it answers without a list", async () => {
    const { models } = follow(["*"], { kind: "unlisted" });
    await models.refresh();
    assert.deepEqual(models.current, ["*"]);
  });

  test("to nothing while it cannot be reached, and back, asked every five seconds", async () => {
    const { models, clock, state, changes, reachable } = follow(["*"], { kind: "unreachable" });
    await models.refresh();
    assert.deepEqual(models.current, []);
    await later(clock, RETRY_MS);
    assert.equal(state.asked, 2);
    state.answer = { kind: "listed", models: ["x"] };
    await later(clock, RETRY_MS);
    assert.deepEqual(changes, [[], ["x"]]);
    assert.deepEqual(reachable, [false, true]);
  });

  test("asking once a minute, and telling only of changes", async () => {
    const { models, clock, state, changes } = follow(["*"], { kind: "listed", models: ["x"] });
    await models.refresh();
    await later(clock, REFRESH_MS);
    assert.equal(state.asked, 2);
    assert.equal(changes.length, 1);
    state.answer = { kind: "listed", models: ["x", "y"] };
    await later(clock, REFRESH_MS);
    assert.deepEqual(changes.at(-1), ["x", "y"]);
  });

  test("until it is stopped", async () => {
    const { models, clock, state } = follow(["*"], { kind: "listed", models: ["x"] });
    await models.refresh();
    models.stop();
    await later(clock, REFRESH_MS);
    assert.equal(state.asked, 1);
    assert.equal(clock.pending, 0);
  });
});
