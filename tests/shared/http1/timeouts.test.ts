import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "../../../shared/runtime/current.ts";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { type Recorded, type Setup, underWay, withBackend } from "./test_client.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function assertOpen(one: Recorded): void {
  assert.equal(one.failure, undefined);
}

test("no first byte in time", () =>
  withBackend(async (setup) => {
    const { one, peer } = await underWay(setup);
    setup.clock.advance(299_000);
    assertOpen(one);
    setup.clock.advance(1500);
    assert.equal(one.failure?.kind, "timeout");
    assert.equal(one.failure?.during, "first_byte");
    await until(() => peer.closed, "the connection to close");
  }));

test("a 100 and half a head are no answer", () => {
  const beginning = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n";
  let read = 0;
  const dial: Runtime["dial"] = (options, handlers) =>
    runtime.dial(options, {
      drain: () => handlers.drain(),
      closed: (error) => handlers.closed(error),
      data: (bytes) => {
        handlers.data(bytes);
        read += bytes.length;
      },
    });
  return withBackend(
    async (setup) => {
      const { one, peer } = await underWay(setup);
      setup.clock.advance(299_000);
      peer.send(beginning);
      await until(() => read === beginning.length, "the beginning to be read");
      setup.clock.advance(1500);
      assert.equal(one.failure?.during, "first_byte");
    },
    { runtime: { dial } },
  );
});

test("a body that is being taken puts the first byte off", () =>
  withBackend(async (setup) => {
    const { one } = await underWay(setup, { method: "POST", body: "chunked" });
    for (let round = 0; round < 4; round++) {
      setup.clock.advance(200_000);
      assert.equal(one.exchange.write(bytes("x")), true);
    }
    assertOpen(one);
    setup.clock.advance(300_500);
    assert.equal(one.failure?.during, "first_byte");
  }));

test("a response that pauses too long is cut, one with bytes flowing never", () =>
  withBackend(async (setup) => {
    const { one, peer } = await underWay(setup);
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    await until(() => one.head !== undefined, "the head");
    for (let count = 1; count <= 4; count++) {
      setup.clock.advance(200_000);
      peer.send("x");
      await until(() => one.bodyBytes === count, "a byte");
    }
    setup.clock.advance(300_500);
    assert.equal(one.failure?.kind, "timeout");
    assert.equal(one.failure?.during, "body");
  }));

/** A response that the caller paused within its body for longer than any limit, and resumed. */
async function resumed(setup: Setup): ReturnType<typeof underWay> {
  const { one, peer } = await underWay(setup);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh");
  await until(() => one.text === "h", "the body");
  one.exchange.pause();
  setup.clock.advance(900_000);
  assertOpen(one);
  one.exchange.resume();
  return { one, peer };
}

test("a response that the caller paused is not cut", () =>
  withBackend(async (setup) => {
    const { one, peer } = await resumed(setup);
    setup.clock.advance(200_000);
    peer.send("i");
    assert.equal((await one.over).text, "hi");
  }));

test("a response that the caller paused is cut like any other once it is resumed", () =>
  withBackend(async (setup) => {
    const { one } = await resumed(setup);
    setup.clock.advance(300_500);
    assert.equal(one.failure?.during, "body");
  }));

test("a limit of 0 is none", () =>
  withBackend(
    async (setup) => {
      const { one, peer } = await underWay(setup);
      setup.clock.advance(10_000_000);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
      await until(() => one.head !== undefined, "the head");
      setup.clock.advance(10_000_000);
      peer.send("x");
      assert.equal((await one.over).text, "x");
    },
    { firstByteTimeoutMs: 0, idleBodyTimeoutMs: 0 },
  ));
