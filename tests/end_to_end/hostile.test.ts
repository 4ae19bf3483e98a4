import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { FRAME } from "../../shared/link/frames.ts";
import { endRelay, startRelay, type WorkerReport, workersWhen } from "../support/admin_view.ts";
import type { RelayProgram } from "../support/program.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { type ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";

/** What a worker that breaks the protocol, or lies, can do to others: nothing. */

const KIB = 1024;
const BREAKING = { form: "framed", register: { models: ["bad"] } } as const;

let relay: RelayProgram;
let honest: ScriptedWorker;
/** A stream that goes on all the while, over another link. */
let stream: { client: RawClient; request: ScriptedRequest; events: number };

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", "--absent-grace=0s"]);
  honest = await ScriptedWorker.connect(relay.url, { register: { models: ["good"], max_concurrent: 9 } });
  const client = await RawClient.sends(relay.port, requestText({ body: { model: "good", stream: true } }));
  const request = await honest.next();
  request.respond(200, [["content-type", "text/event-stream"]]);
  stream = { client, request, events: 0 };
});

after(async () => {
  stream?.client.leave();
  await honest?.[Symbol.asyncDispose]();
  await endRelay(relay);
});

/** The other exchange lives, and so does the relay. */
async function othersAreUnharmed(): Promise<void> {
  const event = `data: event ${++stream.events}\n\n`;
  stream.request.exchange.write(Buffer.from(event));
  await stream.client.receives(event);
  assert.equal(stream.request.wasReset, undefined);
}

function frame(type: number, exchange: number, payload: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(payload as string, "latin1");
  const header = Buffer.alloc(10);
  header[0] = type;
  header.writeUInt32BE(exchange, 2);
  header.writeUInt32BE(bytes.length, 6);
  return Buffer.concat([header, bytes]);
}

/** The payload of a RESPONSE. */
function head(status: number, lines = ""): Buffer {
  return Buffer.concat([Buffer.from([status >> 8, status & 255]), Buffer.from(lines, "latin1")]);
}

const u32 = (value: number) =>
  Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255));
const response = (id: number, status = 200, lines = "") => frame(FRAME.RESPONSE, id, head(status, lines));

/** Each breaks the framed protocol. `id` is of an exchange that waits for its answer. */
const BREACHES: Record<string, (id: number) => Uint8Array | string> = {
  "garbage bytes": () => Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 193 + 7) & 255)),
  "one byte": () => Buffer.from([3]),
  "a frame that ends behind its message": (id) => frame(FRAME.DATA, id, "abc").subarray(0, 11),
  "an unknown type of frame": (id) => frame(99, id),
  "a frame that only relays send": (id) =>
    frame(FRAME.REQUEST, id + 1, Buffer.concat([u32(0), Buffer.from("GET\n/")])),
  "a body before its head": (id) => frame(FRAME.DATA, id, "abc"),
  "an end before a head": (id) => frame(FRAME.END, id),
  "two heads": (id) => Buffer.concat([response(id), response(id)]),
  "started twice": (id) => Buffer.concat([frame(FRAME.STARTED, id), frame(FRAME.STARTED, id)]),
  "started after its head": (id) => Buffer.concat([response(id), frame(FRAME.STARTED, id)]),
  "more than its credit": (id) =>
    Buffer.concat([response(id), ...Array(15).fill(frame(FRAME.DATA, id, Buffer.alloc(64 * KIB)))]),
  "a data frame over its limit": (id) =>
    Buffer.concat([response(id), frame(FRAME.DATA, id, Buffer.alloc(64 * KIB + 1))]),
  "a message over its limit": () => Buffer.alloc(KIB * KIB + 1),
  "credit beyond all bounds": (id) =>
    Buffer.concat([frame(FRAME.CREDIT, id, u32(0x7fffffff)), frame(FRAME.CREDIT, id, u32(0x7fffffff))]),
  "credit of the wrong length": (id) => frame(FRAME.CREDIT, id, "abc"),
  "a head without a status": (id) => frame(FRAME.RESPONSE, id, "x"),
  "a head over its limit": (id) => response(id, 200, `name\n${"v".repeat(64 * KIB)}`),
  "a head with too many fields": (id) => response(id, 200, Array(501).fill("name\nvalue").join("\n")),
  "a name without a value": (id) => response(id, 200, "name"),
  "a reset without a code": (id) => frame(FRAME.RESET, id),
  "a reset with a page of text": (id) => frame(FRAME.RESET, id, "x".repeat(2 * KIB)),
  "text that is no JSON": () => "hello",
  "text of an unknown type": () => JSON.stringify({ type: "request_admin" }),
  "huge text": () => JSON.stringify({ type: "pong", current_load: 0, padding: "x".repeat(4 * KIB * KIB) }),
  "deeply nested text": () => "[".repeat(500_000),
  "a load that is no number": () => JSON.stringify({ type: "load", current_load: -1 }),
  "a second register": () =>
    JSON.stringify({ type: "register", worker_name: "w", models: ["bad"], max_concurrent: 1 }),
  "a message of the plain form": () =>
    JSON.stringify({ type: "response_complete", request_id: "1", status_code: 200 }),
};

assert.ok(Object.keys(BREACHES).length > 20);
for (const [name, breach] of Object.entries(BREACHES)) {
  test(`link_protocol: ${name} ends its own link only`, async () => {
    await using worker = await ScriptedWorker.connect(relay.url, BREAKING);
    const text = requestText({ method: "PATCH", path: "/x", headers: { "x-model": "bad" }, body: "body" });
    await using client = await RawClient.sends(relay.port, text);
    const { exchange } = await worker.next();
    worker.socket.send(breach(exchange.id));
    assert.equal((await worker.socket.ended()).code, 1002);
    const answer = await client.response();
    if (answer.status === 502) assert.equal(failureCode(answer), "worker_lost");
    else assert.deepEqual([answer.status, answer.complete], [200, false]);
    await workersWhen(relay, (workers) => workers.length === 1);
    await othersAreUnharmed();
  });
}

test("frames for an exchange that is over, or never was, are dropped", async () => {
  await using worker = await ScriptedWorker.connect(relay.url, BREAKING);
  const ask = () => RawClient.sends(relay.port, requestText({ body: { model: "bad" } }));
  await using client = await ask();
  const first = await worker.next();
  first.answer(200, "first");
  assert.equal((await client.response()).body, "first");
  const { id } = first.exchange;
  const late = [FRAME.STARTED, FRAME.DATA, FRAME.END, FRAME.RESET_ACK].map((type) => frame(type, id));
  late.push(response(id, 500), frame(FRAME.RESET, id, "\x00"), frame(FRAME.CREDIT, id, u32(1)));
  worker.socket.send(Buffer.concat([...late, response(id + 1000)]));
  await using again = await ask();
  (await worker.next()).answer(200, "second");
  assert.equal((await again.response()).body, "second");
  await othersAreUnharmed();
});

for (const form of ["framed", "plain"] as const) {
  for (const status of [42, 0, 100, 199, 600, 999]) {
    test(`worker_invalid: status ${status}, ${form}`, async () => {
      const { answer } = await answered(form, (request) => request.answer(status, "x"));
      assert.deepEqual([answer.status, failureCode(answer)], [502, "worker_invalid"]);
    });
  }
}

const BAD_FIELDS: readonly [what: string, name: string, value: string][] = [
  ["a carriage return in a value", "x-a", "b\rx-injected: 1"],
  ["NUL in a value", "x-a", "b\0x-injected"],
  ["a space in a name", "x-injected a", "b"],
  ["a colon in a name", "x-injected:a", "b"],
  ["an empty name", "", "x-injected"],
  ["a line break in a value", "x-a", "b\r\nx-injected: 1"],
  ["a line break in a name", "x-a\r\nx-injected", "b"],
];

for (const [what, name, value] of BAD_FIELDS) {
  test(`worker_invalid: ${what}`, async () => {
    const { answer, received } = await answered("framed", ({ exchange }, worker) =>
      worker.socket.send(response(exchange.id, 200, `${name}\n${value}`)),
    );
    assert.equal(answer.status, 502);
    // In the text of a head a line break ends a line: the head is none, and that ends the link.
    assert.equal(failureCode(answer), /\n/.test(name + value) ? "worker_lost" : "worker_invalid");
    assert.doesNotMatch(received, /x-injected/i);
  });

  test(`a field of a plain answer with ${what} is left out, as in ModelRelay`, async () => {
    const { answer, received } = await answered("plain", (_request, worker) =>
      worker.socket.sendJson({
        type: "response_complete",
        request_id: worker.lastRequestId,
        status_code: 200,
        headers: { [name]: value, "x-b": "stays" },
        body: "body",
      }),
    );
    assert.deepEqual([answer.status, answer.headers.get("x-b"), answer.body], [200, "stays", "body"]);
    assert.doesNotMatch(received, /x-injected/i);
  });
}

test("a worker cannot set what is the relay's to say", async () => {
  const { answer } = await answered("framed", (request) =>
    request.answer(200, "body", [
      ["x-signalbox-request-id", "forged"],
      ["x-signalbox-worker", "forged"],
      ["connection", "close, x-named"],
      ["x-named", "hop by hop"],
      ["transfer-encoding", "gzip"],
      ["content-length", "1"],
    ]),
  );
  assert.deepEqual([answer.status, answer.body], [200, "body"]);
  assert.doesNotMatch(JSON.stringify([...answer.headers]), /forged|x-named|gzip/);
});

/** What the client gets when a worker acts like that. Others are unharmed, and the slot is free. */
async function answered(
  form: "framed" | "plain",
  act: (request: ScriptedRequest, worker: ScriptedWorker) => void,
) {
  await using worker = await ScriptedWorker.connect(relay.url, { form, register: { models: ["bad"] } });
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: "bad" } }));
  act(await worker.next(), worker);
  const answer = await client.response();
  const { worker_id } = worker.ack;
  const isFree = (report: WorkerReport) => report.worker_id !== worker_id || report.in_flight_count === 0;
  await workersWhen(relay, (workers) => workers.every(isFree), 1000);
  await othersAreUnharmed();
  return { answer, received: client.received };
}

test("names that no header can carry do no harm", async () => {
  const name = "\u5de5\u4eba\r\nx-injected: 1";
  await using worker = await ScriptedWorker.connect(relay.url, {
    query: `?provider=${encodeURIComponent(name)}`,
    register: { worker_name: name, models: ["*"] },
  });
  worker.onRequest = (request) => request.answer(200, "fine");
  await using client = await RawClient.sends(relay.port, requestText({ body: { model: name } }));
  const { status, body } = await client.response();
  assert.deepEqual([status, body], [200, "fine"]);
  assert.doesNotMatch(client.received, /^x-injected/im);
});
