import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { pair, type Side, type WebSocketPair } from "./websocket_pair.ts";

/**
 * How long an "answer" by `side` takes when it is asked for: the median, in milliseconds. The first rounds do not count,
 * as a new connection acknowledges at once.
 */
async function answerTime(both: WebSocketPair, side: Side, answer: (send: (text: string) => void) => void) {
  const other = side === "client" ? "server" : "client";
  both[`${side}Told`].message = () => answer((text) => both[side].send(text));
  const times: number[] = [];
  for (let round = 0; round < 60; round++) {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      both[`${other}Told`].message = (text) => text === "answer" && resolve();
      both[other].send("question");
    });
    if (round >= 20) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

export function smallMessagesContract(runtime: Runtime): void {
  for (const side of ["client", "server"] as const) {
    test(`a message by the ${side} does not wait for the acknowledgement of the one before`, async () => {
      await using both = await pair(runtime);
      const alone = await answerTime(both, side, (answer) => answer("answer"));
      const second = await answerTime(both, side, (answer) => {
        answer("started");
        setImmediate(answer, "answer");
      });
      // Linux acknowledges by itself after 40 ms.
      assert.ok(second - alone < 20, `${second} ms as the second message, ${alone} ms as the only one`);
    });
  }
}
