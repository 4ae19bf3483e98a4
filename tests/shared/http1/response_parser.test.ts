import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ResponseParser } from "../../../shared/http1/response_parser.ts";
import { INVALID_RESPONSES } from "./invalid_responses.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { lines, type ResponseCase } from "./response_case.ts";
import { VALID_BODIES } from "./valid_bodies.ts";
import { VALID_HEADS } from "./valid_heads.ts";

/** Beyond this a response is not cut at every place: the long ones test limits, not cuts. */
const EVERY_CUT_BYTES = 1000;

for (const [kind, cases] of Object.entries({
  valid: [...VALID_HEADS, ...VALID_BODIES],
  invalid: INVALID_RESPONSES,
})) {
  test(`there are ${kind} cases, each with a name of its own`, () => {
    assert.ok(cases.length >= 60, String(cases.length));
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  });
  for (const each of cases) test(`${kind}: ${each.name}`, () => holdAtEveryCut(each));
}

function holdAtEveryCut(expected: ResponseCase): void {
  const bytes = Buffer.from(expected.bytes, "latin1");
  const method = expected.method ?? "GET";
  const whole = outcomeOf(method, [bytes]);
  assertOutcome(whole, expected);
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  assert.deepEqual(outcomeOf(method, single), whole, "byte by byte");
  for (const cut of cuts(bytes.length)) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assert.deepEqual(outcomeOf(method, pieces), whole, `cut at ${cut}`);
  }
}

function cuts(length: number): number[] {
  const step = length <= EVERY_CUT_BYTES ? 1 : Math.ceil(length / 50);
  return Array.from({ length: Math.ceil((length + 1) / step) }, (_, at) => at * step);
}

function assertOutcome(found: Outcome, expected: ResponseCase): void {
  assert.equal(found.ends, expected.ends);
  if (expected.status !== undefined) assert.equal(found.head?.status, expected.status);
  // Its head is at fault, and not what comes behind it.
  else if (expected.ends === "invalid") assert.equal(found.head, undefined);
  if (expected.reason !== undefined) assert.equal(found.head?.reason, expected.reason);
  if (expected.headers) assert.deepEqual(found.head?.headers, expected.headers);
  if (expected.body !== undefined) assert.equal(found.body, expected.body);
}

test("101 hands over what came behind it", () => {
  const head = lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "");
  const { body, ends } = outcomeOf("GET", [Buffer.from(`${head}\x81\x02hi`, "latin1")]);
  assert.deepEqual({ body, ends }, { body: "\x81\x02hi", ends: "switched" });
});

const RESPONSE = Buffer.from(
  `${lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "")}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`,
);

const HEAD_BYTES = RESPONSE.indexOf("\r\n\r\n") + 4;

const STOPPED: [answer: Buffer, events: string[]][] = [
  [RESPONSE, ["head", "ab", "end"]],
  [Buffer.from(`${lines("HTTP/1.1 200 OK", "Content-Length: 1", "")}a`), ["head", "a", "end"]],
  [Buffer.from(lines("HTTP/1.1 204 No Content", "")), ["head", "end"]],
];
for (const [answer, events] of STOPPED) {
  for (const [at, last] of events.entries()) {
    test(`stop() within ${last} of ${events} is the end of the events`, () => {
      const seen: string[] = [];
      const see = (event: string) => {
        seen.push(event);
        if (event === last) parser.stop();
      };
      const parser = new ResponseParser({
        head: () => see("head"),
        data: (bytes) => see(Buffer.from(bytes).toString()),
        end: () => see("end"),
        switched: () => see("switched"),
      });
      parser.begin("GET");
      parser.receive(Uint8Array.from(answer));
      parser.eof();
      assert.deepEqual(seen, events.slice(0, at + 1));
    });
  }
}

test("one parser reads one response after the other, also after one that broke off", () => {
  const seen: string[] = [];
  const parser = new ResponseParser({
    head: ({ status }) => seen.push(String(status)),
    data: (bytes) => seen.push(Buffer.from(bytes).toString()),
    end: () => seen.push("end"),
    switched: () => assert.fail("switched"),
  });
  parser.begin("GET");
  parser.receive(Uint8Array.from(RESPONSE));
  assert.ok(parser.reusable);
  parser.begin("GET");
  assert.equal(parser.begun, false);
  assert.equal(parser.reusable, false);
  parser.receive(RESPONSE.subarray(0, HEAD_BYTES + "1\r\na\r\n1".length));
  assert.ok(parser.begun);
  parser.begin("HEAD");
  parser.receive(RESPONSE.subarray(0, HEAD_BYTES));
  assert.deepEqual(seen, ["200", "ab", "end", "200", "a", "200", "end"]);
  assert.ok(parser.reusable);
});

test("short chunks of one read are one piece, a long one is a piece of its own, and nothing is lost between them", () => {
  const sizes = [3, 5, 5000, 2, 4096, 4097, 1, 1, 70_000];
  const content = Buffer.from(sizes.map((size, at) => String.fromCharCode(97 + at).repeat(size)).join(""));
  let framed = lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "");
  let from = 0;
  for (const size of sizes) {
    framed += `${size.toString(16)};x\r\n${content.toString("latin1", from, from + size)}\r\n`;
    from += size;
  }
  for (const broken of [false, true]) {
    const bytes = Buffer.from(`${framed}${broken ? "no size" : "0\r\nx-sum: 1\r\n\r\n"}`, "latin1");
    for (const readBytes of [bytes.length, 4096, 100, 7, 1]) {
      const pieces: Buffer[] = [];
      const ignore = () => {};
      const parser = new ResponseParser({
        head: ignore,
        // As views of one read may be kept until it is settled, none may change under the next.
        data: (piece) => pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length)),
        end: ignore,
        switched: ignore,
      });
      parser.begin("GET");
      const read = () => {
        for (let at = 0; at < bytes.length; at += readBytes)
          parser.receive(Uint8Array.from(bytes.subarray(at, at + readBytes)));
      };
      if (broken) assert.throws(read, { kind: "invalid" });
      else read();
      assert.ok(Buffer.concat(pieces).equals(content), `${readBytes} ${broken}`);
      assert.equal(parser.reusable, !broken);
      if (readBytes === bytes.length)
        assert.deepEqual(
          pieces.map(({ length }) => length),
          [8, 9098, 4099, 70_000],
        );
    }
  }
});

test("names of fields are read anew where another stood in the response before", () => {
  const seen: string[][] = [];
  const ignore = () => {};
  const parser = new ResponseParser({
    head: ({ headers }) => seen.push(headers.map(([name]) => name)),
    data: ignore,
    end: ignore,
    switched: ignore,
  });
  const blocks = [
    ["Ab", "C"],
    ["Abc", "C"],
    ["A", "C", "D"],
    ["B"],
    ["b", "C"],
    ["b", "C", "D", "E"],
    [],
    ["b", "c", "D", "E"],
  ];
  for (const names of blocks) {
    parser.begin("HEAD");
    parser.receive(Buffer.from(lines("HTTP/1.1 200 OK", ...names.map((name) => `${name}: 1`), "")));
  }
  assert.deepEqual(seen, blocks);
  parser.begin("HEAD");
  assert.throws(() => parser.receive(Buffer.from("HTTP/1.1 200 OK\r\nb : 1\r\n\r\n")));
});

test("the bytes of a body are views of what was received", () => {
  const bytes = Buffer.from(`${lines("HTTP/1.1 200 OK", "Content-Length: 2", "")}hi`);
  let buffer: ArrayBufferLike | undefined;
  const ignore = () => {};
  const data = (view: Uint8Array) => {
    buffer = view.buffer;
  };
  const parser = new ResponseParser({ head: ignore, data, end: ignore, switched: ignore });
  parser.begin("GET");
  parser.receive(bytes);
  assert.equal(buffer, bytes.buffer);
});
