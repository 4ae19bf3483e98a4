import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import type { BodySink, Runtime } from "../../../shared/runtime/ports.ts";
import { canMakeCertificates, makeCertificates, type TestCertificates } from "../../support/certificates.ts";
import { bytesOf, get, HOST, serve } from "./set_up.ts";
import { pair, type Side, type WebSocketPair } from "./websocket_pair.ts";

/**
 * How long an "answer" by `side` takes when it is asked for: the median, in milliseconds. The first rounds do not count,
 * as a new connection acknowledges at once.
 */
async function answerTime(both: WebSocketPair, side: Side, answer: (send: (text: string) => void) => void) {
  const other = side === "client" ? "server" : "client";
  both[`${side}Told`].message = () => answer((text) => both[side].send(text));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      both[`${other}Told`].message = (text) => text === "answer" && resolve();
      both[other].send("question");
    });
    if (round >= FIRST_ROUNDS) times.push(performance.now() - start);
  }
  return median(times);
}

/** Linux acknowledges by itself after 40 ms. */
const UNACKNOWLEDGED_MS = 20;

const ROUNDS = 60;
const FIRST_ROUNDS = 20;

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;

/**
 * How long after the first piece of a streamed body the client has all three, which are written a turn apart: the
 * median of many requests on one connection, in milliseconds.
 */
async function streamTime(runtime: Runtime, made: TestCertificates | undefined): Promise<number> {
  const start = (sink: BodySink) => {
    const pieces = ["first", "second", "third"];
    const next = () => {
      sink.write(bytesOf(pieces.shift()!));
      sink.flush();
      if (pieces.length > 0) setImmediate(next);
      else sink.end();
    };
    next();
  };
  await using server = await serve(
    runtime,
    () => new Response(runtime.streamingBody({ start, drain() {}, cancel() {} })),
    made && { tls: made.good },
  );
  const where = { host: HOST, port: server.port };
  const client = made ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let received = "";
    let firstAt = 0;
    client.write(get("/"));
    await new Promise<void>((resolve) => {
      client.on("data", (bytes) => {
        received += bytes;
        if (firstAt === 0 && received.includes("first")) firstAt = performance.now();
        if (received.endsWith("0\r\n\r\n")) resolve();
      });
    });
    client.removeAllListeners("data");
    if (round >= FIRST_ROUNDS) times.push(performance.now() - firstAt);
  }
  client.destroy();
  return median(times);
}

export function smallMessagesContract(runtime: Runtime): void {
  const noCertificates = canMakeCertificates()
    ? false
    : "makes its certificates with openssl, which is not here";
  for (const secure of [false, true]) {
    test(`a piece of a stream ${secure ? "over TLS " : ""}waits for no acknowledgement`, {
      skip: secure && noCertificates,
    }, async () => {
      const time = await streamTime(runtime, secure ? makeCertificates() : undefined);
      assert.ok(time < UNACKNOWLEDGED_MS, `${time} ms behind the first piece`);
    });

    for (const side of ["client", "server"] as const) {
      test(`a message by the ${side} ${secure ? "over TLS " : ""}waits for no acknowledgement`, {
        skip: secure && noCertificates,
      }, async () => {
        await using both = await pair(runtime, secure ? makeCertificates() : undefined);
        const alone = await answerTime(both, side, (send) => send("answer"));
        const second = await answerTime(both, side, (send) => {
          send("started");
          setImmediate(send, "answer");
        });
        assert.ok(
          second - alone < UNACKNOWLEDGED_MS,
          `${second} ms behind another message, ${alone} ms as the only one`,
        );
      });
    }
  }
}
