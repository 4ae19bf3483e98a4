import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURE_OF_PROVIDER_RESET } from "../../../shared/link/reset_failure.ts";
import type { BackendRequest } from "../../support/raw_backend.ts";
import { until } from "../../support/until.ts";
import { sized, withProvider } from "./set_up.ts";

const encode = (text: string) => new TextEncoder().encode(text);

test("giving up closes the connection within a second, whatever it is at", async () => {
  await withProvider(async ({ open, provider }) => {
    const waiting = open();
    const first = await provider.next();
    waiting.exchange.reset("cancelled", "the client left");
    await first.isLeft();
    const streaming = open();
    const second = (await provider.next()).startStream();
    second.chunk("one");
    await until(() => streaming.text === "one", "the first chunk");
    streaming.exchange.reset("cancelled");
    await second.isLeft();
    const uploading = open(sized(100));
    uploading.exchange.write(encode("begin"));
    const third = await provider.next();
    uploading.exchange.reset("cancelled");
    await third.isLeft();
    const notBegun = open();
    notBegun.exchange.reset("cancelled");
    await until(() => provider.connections === 0, "no connection is left");
    assert.equal(provider.requests.length, 3);
    for (const one of [waiting, streaming, uploading, notBegun]) {
      assert.equal(one.failure, undefined);
      assert.equal(one.exchange.write(encode("more")), true);
      one.exchange.end();
      one.exchange.consumed(5);
      one.exchange.reset("cancelled");
    }
  });
});

test("an answer before the upload is whole is passed on, and the connection is closed", async () => {
  await withProvider(async ({ open, provider }) => {
    const one = open(sized(100));
    one.exchange.write(encode("begin"));
    const request = await provider.next();
    request.reply(413, "too much");
    await until(() => one.ended, "the answer");
    one.exchange.reset("cancelled", "answered before the request was complete");
    await one.over();
    assert.equal(one.head?.status, 413);
    assert.equal(one.text, "too much");
    await request.isLeft();
  });
});

interface Failing {
  serve(request: BackendRequest): void;
  code: keyof typeof FAILURE_OF_PROVIDER_RESET;
  text: string;
  failure: string;
  events: string[];
}
const FAILING: Record<string, Failing> = {
  "no answer": {
    serve: (request) => request.end(),
    code: "backend_broke_off",
    text: "broke_off",
    failure: "provider_broke_off",
    events: ["started", "reset"],
  },
  "half an answer": {
    serve: (request) => request.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") && request.end(),
    code: "backend_broke_off",
    text: "broke_off",
    failure: "provider_broke_off",
    events: ["started", "response", "data", "settled", "reset"],
  },
  "an answer that is not HTTP": {
    serve: (request) => request.send("SSH-2.0-secret.internal.example\r\n\r\n"),
    code: "backend_invalid",
    text: "invalid",
    failure: "provider_invalid",
    events: ["started", "reset"],
  },
  "an upgrade that nobody asked for": {
    serve: (request) => request.send("HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n"),
    code: "backend_invalid",
    text: "invalid",
    failure: "provider_invalid",
    events: ["started", "reset"],
  },
};
for (const [name, { serve, code, text, failure, events }] of Object.entries(FAILING)) {
  test(`${name} is told, without a word of the provider's`, async () => {
    await withProvider(async ({ open, provider }) => {
      const one = open();
      assert.deepEqual(await one.fails(), { code, text });
      assert.equal(FAILURE_OF_PROVIDER_RESET[code], failure);
      assert.deepEqual(
        one.events.filter((event) => events.includes(event)),
        one.events,
      );
      assert.equal(one.events.at(-1), "reset");
      assert.equal(provider.requests.length, 1);
    }, serve);
  });
}

test("no answer, and no more of it, is a timeout", async () => {
  await withProvider(async ({ open, provider, clock }) => {
    const silent = open();
    await provider.next();
    await until(() => silent.events.length > 0, "the request is out");
    clock.advance(5500);
    assert.deepEqual(await silent.fails(), { code: "timeout", text: "timeout (first_byte)" });
    const stalled = open();
    (await provider.next()).startStream().chunk("one");
    await until(() => stalled.text === "one", "the first chunk");
    clock.advance(3500);
    assert.deepEqual(await stalled.fails(), { code: "timeout", text: "timeout (body)" });
    assert.equal(FAILURE_OF_PROVIDER_RESET.timeout, "provider_timeout");
    await until(() => provider.connections === 0, "both connections are closed");
  });
});

test("a fault of a handler ends its exchange and no other", async () => {
  await withProvider(async ({ open, provider }) => {
    const one = open();
    const other = open();
    one.onData = () => {
      throw new Error("a mistake of ours");
    };
    const requests = [await provider.next(), await provider.next()];
    for (const request of requests) request.startStream().chunk("first");
    assert.deepEqual(await one.fails(), { code: "cancelled", text: "a fault of the relay" });
    await until(() => other.text === "first", "the other goes on");
    await until(() => provider.connections === 1, "one connection is closed");
    for (const request of requests) request.lastChunk();
    await other.over();
    assert.equal(other.failure, undefined);
  });
});
