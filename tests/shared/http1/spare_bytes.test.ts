import assert from "node:assert/strict";
import { test } from "node:test";
import { giveBackBytes, takeBytes } from "../../../shared/http1/spare_bytes.ts";
import { until } from "../../support/until.ts";
import { Recorded, succeed, withBackend } from "./test_client.ts";

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const bytes = (text: string) => new TextEncoder().encode(text);

test("takeBytes() gives as many as were asked for, and nobody two hands on the same", () => {
  for (const length of [0, 1, 4096, 4097, 100_000]) assert.equal(takeBytes(length).length, length);
  const first = takeBytes(10);
  giveBackBytes(first);
  const lent = Array.from({ length: 100 }, () => takeBytes(10));
  assert.equal(new Set(lent.map(({ buffer }) => buffer)).size, 100);
  for (const one of lent) giveBackBytes(one);
});

test("requests that are opened in one turn are written with their own bytes, whoever gave up between them", () =>
  withBackend(
    async (setup) => {
      for (let wave = 0; wave < 3; wave++) {
        const sent = Array.from({ length: 50 }, (_, n) => {
          const firstBytes = bytes(`body ${wave}/${n} ends`);
          const request = {
            method: "POST",
            target: `/${wave}/${n}`,
            body: { length: firstBytes.length },
            firstBytes,
          };
          return new Recorded(setup.client, setup.origin, request);
        });
        const kept = sent.filter((_, n) => n % 5 !== 0);
        for (const one of sent) if (!kept.includes(one)) one.exchange.cancel();
        for (const one of await Promise.all(kept.map(({ over }) => over))) assert.equal(one.text, "ok");
      }
      const { received } = setup.backend;
      const got = [...received.matchAll(/POST \/(\S+) HTTP\/1\.1\r\n(?:[^\r]+\r\n)+\r\nbody (\S+) ends/g)];
      assert.equal(got.length, 3 * 40);
      for (const [, target, body] of got) assert.equal(body, target);
      assert.equal(new Set(got.map(([, target]) => target)).size, 3 * 40);
    },
    { serve: (peer) => peer.socket.on("data", (text) => String(text).endsWith("ends") && peer.send(ANSWER)) },
  ));

test("a request that may be sent again keeps its bytes while others are written", () =>
  withBackend(
    async (setup) => {
      await succeed(setup, { target: "/warm" });
      const one = new Recorded(setup.client, setup.origin, { target: "/again", idempotent: true });
      const peer = await setup.backend.peer();
      await peer.receives("GET /again ");
      for (let n = 0; n < 40; n++) await succeed(setup, { target: `/other/${"x".repeat(n)}` });
      const before = setup.backend.received.length;
      peer.destroy();
      await until(() => setup.backend.received.length > before, "the request to be sent again");
      assert.equal((await one.over).text, "ok");
      assert.equal(setup.backend.received.match(/GET \/again HTTP\/1\.1\r\nHost: /gi)?.length, 2);
    },
    { serve: (peer) => peer.socket.on("data", (text) => swallows(String(text)) || peer.send(ANSWER)) },
  ));

/** The first that is to be sent again. */
function swallows(text: string): boolean {
  const isFirst = text.startsWith("GET /again ") && !swallowed;
  swallowed ||= isFirst;
  return isFirst;
}
let swallowed = false;
