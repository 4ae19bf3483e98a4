import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { endRelay, slotsFree, startRelay } from "../support/admin_view.ts";
import { cannotOverPlain, FORMS } from "../support/link_form.ts";
import type { RelayProgram } from "../support/program.ts";
import { chunk } from "../support/raw_client.ts";
import { RoutingStand, routed, type Script, says } from "../support/routing_stand.ts";
import { until } from "../support/until.ts";

/** What the client gets when a backend answered with an error and going on does not help. */

const ORDER = { provider: { order: ["first", "second"] } };
const TIMEOUT_MS = 1500;

let relay: RelayProgram;

before(async () => {
  relay = await startRelay([
    ...["--max-worker-handshakes=1000", "--replay-limit=1KiB", "--peek-limit=1KiB"],
    `--request-timeout=${TIMEOUT_MS}ms`,
    "--queue-timeout=300ms",
  ]);
});

after(async () => {
  await slotsFree(relay);
  await endRelay(relay);
});

/** How the second worker lets a request down, to which the first had answered. */
const FAILURES: Record<string, Script> = {
  "dies before it starts": (_request, worker) => worker.die(),
  "dies after it started": (request, worker) => {
    request.start();
    worker.link.flush();
    return worker.die();
  },
  "refuses it": (request) => request.exchange.reset("refused"),
  "cannot reach its backend": (request) => {
    request.start();
    request.exchange.reset("backend_unreachable");
  },
  "says that its backend broke off": (request) => request.exchange.reset("backend_broke_off"),
  "says nothing in time": () => {},
};

for (const form of FORMS) {
  describe(`over ${form} links`, () => {
    for (const [failure, script] of Object.entries(FAILURES)) {
      test(`the next worker ${failure}: the answer of the one before is given`, async () => {
        await using stand = new RoutingStand(relay, form);
        await stand.worker("first", says(503, "from the first", [["x-from", "first"]]));
        await stand.worker("second", script);
        const response = await stand.ask(ORDER);
        const { status, body, headers } = response;
        // On a plain link a worker of ours tells of its backend's failure in an answer.
        const told = form === "plain" && /"code":"(worker_refused|backend_\w+)"/.test(body);
        if (!told) assert.deepEqual([status, body, headers.get("x-from")], [503, "from the first", "first"]);
        assert.equal(told, form === "plain" && /refuses|backend/.test(failure));
        const provider = told ? "second" : "first";
        assert.deepEqual(routed(response), { provider, model: stand.model, attempts: "2" });
      });
    }

    test("no other worker: the answer is passed on, and nothing is asked twice", async () => {
      await using stand = new RoutingStand(relay, form);
      const only = await stand.worker("first", says(500, "from the first"));
      for (const asked of [ORDER, { models: [stand.model, "nobody's"] }]) {
        const response = await stand.ask(asked);
        assert.deepEqual([response.status, response.body], [500, "from the first"]);
        assert.equal(routed(response).attempts, "1");
      }
      assert.equal(only.requests.length, 2);
    });

    test("the only other worker stays busy: the answer is given when the wait is over", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(500, "from the first"));
      const second = await stand.worker("second");
      await stand.send({ provider: { only: ["second"] } });
      await second.next();
      const response = await stand.ask(ORDER);
      assert.deepEqual([response.status, response.body], [500, "from the first"]);
      assert.equal(second.requests.length, 1);
    });

    test("a body over the replay limit goes to one worker", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(503, "from the first"));
      const second = await stand.worker("second", (request) => request.answer(200, request.body));
      const pad = (length: number) => ({ ...ORDER, pad: "x".repeat(length) });
      const below = await stand.ask(pad(800));
      assert.deepEqual([below.status, JSON.parse(below.body)], [200, { model: stand.model, ...pad(800) }]);
      const over = await stand.ask(pad(2000));
      assert.deepEqual([over.status, over.body], [503, "from the first"]);
      assert.equal(second.requests.length, 1);
    });

    test("an error of more than 64 KiB is passed on, one below is not", async () => {
      await using stand = new RoutingStand(relay, form);
      let body = "";
      await stand.worker("first", (request) => request.answer(503, body));
      const second = await stand.worker("second", says(200, "from the second"));
      body = "x".repeat(60 * 1024);
      assert.equal((await stand.ask(ORDER)).body, "from the second");
      body = "x".repeat(200 * 1024);
      const response = await stand.ask(ORDER);
      assert.deepEqual([response.status, response.body === body], [503, true]);
      assert.equal(second.requests.length, 1);
    });

    test("a long error that was kept comes whole after all", async () => {
      await using stand = new RoutingStand(relay, form);
      const body = "0123456789".repeat(5000);
      await stand.worker("first", says(503, body));
      await stand.worker("second", (_request, worker) => worker.die());
      const response = await stand.ask(ORDER);
      assert.deepEqual([response.status, response.body === body], [503, true]);
    });

    test("a client that leaves while the next worker has its request is logged as gone", async () => {
      await using stand = new RoutingStand(relay, form);
      await stand.worker("first", says(503, "from the first"));
      const second = await stand.worker("second");
      const client = await stand.send(ORDER, { path: `/v1/${stand.model}` });
      const held = await second.next();
      client.leave();
      await held.isReset();
      await until(() => relay.stderr.includes(`path=/v1/${stand.model} `), "the log line");
      const line = relay.stderr.split("\n").find((text) => text.includes(`path=/v1/${stand.model} `));
      assert.match(line!, / status=499 .*failure=client_gone/);
    });
  });
}

test("an error that is streamed without end is passed on as it comes", {
  skip: cannotOverPlain("eventStreams"),
}, async () => {
  await using stand = new RoutingStand(relay);
  const first = await stand.worker("first");
  await stand.worker("second", says(200, "from the second"));
  const client = await stand.send(ORDER);
  const request = await first.next();
  request.respond(503, [["content-type", "text/event-stream"]]);
  request.exchange.write(Buffer.from("data: one\n\n"));
  first.link.flush();
  await client.receives("data: one");
  request.exchange.write(Buffer.from("data: two\n\n"));
  first.link.flush();
  await client.receives("data: two");
  request.exchange.end();
  const response = await client.response();
  assert.deepEqual([response.status, response.complete], [503, true]);
});

test("an error that breaks off is none", async () => {
  await using stand = new RoutingStand(relay);
  const first = await stand.worker("first");
  await stand.worker("second", says(200, "from the second"));
  const client = await stand.send(ORDER);
  const request = await first.next();
  request.respond(503);
  request.exchange.write(Buffer.from("the begin"));
  first.link.flush();
  request.exchange.reset("backend_broke_off");
  assert.equal((await client.response()).body, "from the second");
});

test("an answer that is no HTTP is a failure of the worker, whatever came before", async () => {
  // A plain answer loses such a field.
  await using stand = new RoutingStand(relay, "framed");
  await stand.worker("first", says(503, "from the first", [["bad name", "x"]]));
  await stand.worker("second", (request) => request.exchange.reset("refused"));
  const response = await stand.ask(ORDER);
  assert.equal(response.status, 502);
  assert.match(response.body, /worker_invalid/);
});

describe("an error that comes while the client still sends", {
  skip: cannotOverPlain("wholeRequests"),
}, () => {
  const head = { "content-type": "text/plain", "transfer-encoding": "chunked" };

  test("the next worker gets the whole body", async () => {
    await using stand = new RoutingStand(relay);
    const first = await stand.worker("first");
    const second = await stand.worker("second");
    const client = await stand.send(chunk("begin"), {
      headers: { ...head, "x-model": stand.model, "x-provider": '{"order":["first","second"]}' },
    });
    const early = await first.next();
    await until(() => early.body === "begin", "the beginning at the first worker");
    early.answer(429, "from the first");
    const late = await second.next();
    client.send(`${chunk(" and end")}0\r\n\r\n`);
    assert.equal((await late.received()).body, "begin and end");
    late.answer(200, "done");
    assert.equal((await client.response()).body, "done");
  });

  test("a body that outgrows the replay limit loses nothing on its way to the next worker", async () => {
    await using stand = new RoutingStand(relay);
    const first = await stand.worker("first");
    const second = await stand.worker("second");
    const client = await stand.send(chunk("a".repeat(500)), {
      headers: { ...head, "x-model": stand.model },
    });
    const early = await Promise.race([first.next(), second.next()]);
    const [had, other] = early === first.requests[0] ? [first, second] : [second, first];
    await until(() => early.body.length === 500, "the beginning at a worker");
    early.exchange.reset("refused");
    had.link.flush();
    await until(() => other.requests[0]?.body.length === 500, "the beginning at the other");
    for (const letter of ["b", "c", "d"]) client.send(chunk(letter.repeat(800)));
    client.send("0\r\n\r\n");
    const late = await other.requests[0]!.received();
    assert.deepEqual(
      late.body.match(/(.)\1*/g)?.map((run) => `${run[0]}${run.length}`),
      [...["a500", "b800", "c800", "d800"]],
    );
    late.answer(200, "done");
    assert.equal((await client.response()).body, "done");
  });
});
