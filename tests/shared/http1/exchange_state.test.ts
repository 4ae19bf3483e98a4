import assert from "node:assert/strict";
import { test } from "node:test";
import { ExchangeState, TRANSITIONS } from "../../../shared/http1/exchange_state.ts";
import { Http1Failure } from "../../../shared/http1/types.ts";

const EVENTS = ["head", "data", "end", "close"];

for (const [side, states] of Object.entries(TRANSITIONS)) {
  test(`every state of a ${side} can be closed and leads to states of the table`, () => {
    assert.ok(Object.keys(states).length >= 3);
    for (const [name, transitions] of Object.entries(states)) {
      assert.ok("close" in transitions, `${name} cannot be closed`);
      for (const [event, following] of Object.entries<string>(transitions)) {
        assert.ok(EVENTS.includes(event), event);
        assert.ok(following in states, `${name} → ${following}`);
      }
    }
  });
}

test("an exchange is clean when both sides are complete", () => {
  const state = new ExchangeState();
  state.receives("head");
  state.sends("data");
  state.receives("data");
  state.sends("end");
  assert.equal(state.over, false);
  state.receives("end");
  assert.deepEqual([state.clean, state.over], [true, true]);
});

test("an exchange whose response came first is over and not clean", () => {
  const state = new ExchangeState();
  state.receives("head");
  state.receives("end");
  state.sends("close");
  state.sends("data");
  state.sends("end");
  assert.deepEqual([state.clean, state.over], [false, true]);
});

const WRONG: Record<string, (state: ExchangeState) => void> = {
  "a body behind its end": (state) => {
    state.sends("end");
    state.sends("data");
  },
  "data before a head": (state) => state.receives("data"),
  "an end before a head": (state) => state.receives("end"),
  "two heads": (state) => {
    state.receives("head");
    state.receives("head");
  },
  "data behind the close": (state) => {
    state.receives("close");
    state.receives("data");
  },
};
for (const [name, play] of Object.entries(WRONG)) {
  test(`${name} is not in the table`, () => {
    assert.throws(
      () => play(new ExchangeState()),
      (error) => error instanceof Http1Failure && error.kind === "local",
    );
  });
}
