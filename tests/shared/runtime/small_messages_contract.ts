import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { canMakeCertificates, makeCertificates } from "../../support/certificates.ts";
import { lacks } from "./differences.ts";
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
  const noCertificates = canMakeCertificates()
    ? false
    : "makes its certificates with openssl, which is not here";
  for (const secure of [false, true]) {
    for (const side of ["client", "server"] as const) {
      const behind = secure && side === "server" && lacks(runtime, "tlsAtOnce");
      test(`a message by the ${side} ${secure ? "over TLS " : ""}waits for no acknowledgement`, {
        skip: (secure && noCertificates) || behind,
      }, async () => {
        await using both = await pair(runtime, secure ? makeCertificates() : undefined);
        const alone = await answerTime(both, side, (send) => send("answer"));
        const second = await answerTime(both, side, (send) => {
          send("started");
          setImmediate(send, "answer");
        });
        // Linux acknowledges by itself after 40 ms.
        assert.ok(second - alone < 20, `${second} ms behind another message, ${alone} ms as the only one`);
      });
    }
  }
}
