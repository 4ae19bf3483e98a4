import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { INVALID_RESPONSES } from "./invalid_responses.ts";
import { outcomeOf } from "./outcome.ts";
import { VALID_BODIES } from "./valid_bodies.ts";
import { VALID_HEADS } from "./valid_heads.ts";

/** Whole, and cut at any places: the same events or the same one failure, and never another exception. */
function holds(method: string, bytes: Uint8Array, places: number[]): void {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces = [0, ...cuts].map((start, at) => bytes.subarray(start, cuts[at] ?? bytes.length));
  assert.deepEqual(outcomeOf(method, pieces), outcomeOf(method, [bytes]));
}

const RUNS = 20_000;
const SEED = 20_250_102;

const method = fc.constantFrom("GET", "HEAD");
const places = fc.array(fc.nat(), { maxLength: 4 });

/** Long cases test limits, which random changes seldom reach; left out, the short ones get more runs. */
const SHORT_BYTES = 500;
const bases = [...VALID_HEADS, ...VALID_BODIES, ...INVALID_RESPONSES]
  .filter(({ bytes }) => bytes.length > 0 && bytes.length <= SHORT_BYTES)
  .map(({ bytes }) => Buffer.from(bytes, "latin1"));

/** What responses are made of, so that random ones get somewhere. */
const words = [
  "HTTP/1.1 ",
  "200 OK",
  "100",
  "\r\n",
  "\r",
  "\n",
  ":",
  " ",
  "\t",
  ";",
  ",",
  "0",
  "5",
  "f",
  "\0",
  "\xff",
];
const fields = [
  "Content-Length",
  "Transfer-Encoding",
  "chunked",
  "Connection",
  "close",
  "keep-alive",
  "\r\n\r\n",
];
const word = fc.constantFrom(...words, ...fields).map((text) => Buffer.from(text, "latin1"));
const random = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.array(word, { maxLength: 25 }).map(Buffer.concat),
);

const edit = fc.record({
  at: fc.nat(),
  /** How many bytes go, and which come in their place. */
  removed: fc.nat({ max: 3 }),
  inserted: fc.oneof(word, fc.uint8Array({ maxLength: 2 })),
});
const mutated = fc
  .tuple(fc.constantFrom(...bases), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([base, edits]) => edits.reduce(applied, base));

function applied(
  bytes: Buffer,
  { at, removed, inserted }: { at: number; removed: number; inserted: Uint8Array },
) {
  const start = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + removed)]);
}

for (const [name, bytes] of Object.entries({ random, mutated })) {
  test(`${RUNS} ${name} responses give events or one failure, however they are cut`, () => {
    assert.ok(bases.length > 100);
    const seen = new Set<string>();
    const property = fc.property(method, bytes, places, (method, bytes, places) => {
      holds(method, bytes, places);
      seen.add(outcomeOf(method, [bytes]).ends);
    });
    fc.assert(property, { numRuns: RUNS, seed: SEED });
    const reached = name === "mutated" ? 6 : 2;
    assert.ok(seen.size >= reached, `only ${[...seen]} were reached`);
  });
}
