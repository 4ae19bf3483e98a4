import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LABELS_MAX_UNITS, labelsSchema, priceSchema } from "../../../shared/labels.ts";
import { RESET_CODES } from "../../../shared/link/events.ts";
import { HALF_STATES, type HalfEvent } from "../../../shared/link/exchange.ts";
import { FLAG, FRAME } from "../../../shared/link/frames.ts";
import * as limits from "../../../shared/link/limits.ts";
import { FEATURE, parseRelayMessage, parseWorkerMessage } from "../../../shared/link/messages.ts";
import { acceptRegister } from "../../../shared/link/registration.ts";
import { WindowPool } from "../../../shared/link/windows.ts";
import { decoded, encoded, OTHER, type Role, toHex, type VectorFrame } from "./vector_frames.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/protocol.md"), "utf8");

/** What stands below a heading, up to the next one. */
function section(heading: string): string {
  const [, after = ""] = PAGE.split(`\n${heading}\n`);
  assert.notEqual(after, "", `the page has ${heading}`);
  return after.split(/\n#/)[0]!;
}

/** The cells of a section's table rows, without the head of each table and without backticks. */
function rows(heading: string): string[][] {
  const found = section(heading)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  const rules = found.flatMap((cells, at) => (/^:?-+:?$/.test(cells[0]!) ? [at - 1, at] : []));
  assert.ok(rules.length >= 2);
  return found.filter((_, at) => !rules.includes(at));
}

const codeBlocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``, "g"))].map(([, text = ""]) => text);

test("the table of frames is that of the code", () => {
  const frames = rows("### Frames");
  assert.deepEqual(Object.fromEntries(frames.map(([type, name]) => [name, Number(type)])), FRAME);
  const flags = Object.fromEntries(frames.map(([, name, , , flags]) => [name, flags]));
  assert.equal(
    flags.REQUEST,
    `${FLAG.NO_BODY} no body, ${FLAG.STREAMING} streaming, ${FLAG.UPGRADE} upgrade`,
  );
  assert.equal(flags.DATA, `${FLAG.TEXT} text`);
});

test("the table of states is that of the code", () => {
  const events: HalfEvent[] = ["started", "response", "data", "end"];
  const expected = Object.entries(HALF_STATES).map(([state, next]) => [
    state,
    ...events.map((event) => next[event] ?? ""),
  ]);
  assert.deepEqual(rows("### The life of an exchange"), expected);
});

test("the table of reset codes is that of the code", () => {
  const names = rows("### Reset codes").map(([code, name]) => `${code} ${name}`);
  assert.deepEqual(
    names,
    RESET_CODES.map((name, code) => `${code} ${name}`),
  );
});

test("the tables of limits have every number of the code", () => {
  const found = Object.fromEntries(rows("### Limits").map(([name, value]) => [name, Number(value)]));
  assert.deepEqual(found, { ...limits });
});

test("the table of features is that of the code", () => {
  const found = rows("### Agreeing on the form").map(([name]) => name);
  for (const feature of Object.values(FEATURE)) assert.ok(found.includes(feature), feature);
});

test("the table of labels is that of the code", () => {
  const found = rows("### Labels");
  assert.deepEqual(found.map(([name]) => name).toSorted(), Object.keys(labelsSchema.shape).toSorted());
  const [, , prices = ""] = found.find(([name]) => name === "price")!;
  for (const name of Object.keys(priceSchema.shape)) assert.ok(prices.includes(name), name);
  assert.match(section("### Labels"), new RegExp(LABELS_MAX_UNITS.toLocaleString("en")));
});

test("the example of register is answered with the example of its ack", () => {
  const [register, ack, ...more] = codeBlocks("json");
  assert.deepEqual(more, []);
  const accepted = acceptRegister(parseWorkerMessage(register!) as Parameters<typeof acceptRegister>[0], {
    workerId: "w-7",
    provider: "home",
    features: Object.values(FEATURE),
  });
  assert.deepEqual(parseRelayMessage(ack!), accepted.ack);
});

test("the members of register and its ack that the page names are those that are read", () => {
  const members = rows("### Agreeing on the form").map(([name]) => name!);
  const all = members.slice(0, members.lastIndexOf("type"));
  const example = { string: "x", strings: ["x"], integer: 1, object: {} };
  const [types] = [rows("### Agreeing on the form").slice(0, all.length)];
  const message = Object.fromEntries(
    types!.map(([name, type = ""]) => {
      const kind = type.startsWith("list") ? "strings" : (type.match(/integer|object/)?.[0] ?? "string");
      return [name, name === "type" ? "register" : example[kind as keyof typeof example]];
    }),
  );
  assert.equal(Object.keys(message).length, 11);
  assert.deepEqual(parseWorkerMessage(JSON.stringify(message)), message, "nothing was dropped as unknown");
});

test("129 stalled responses keep the window that they start with", () => {
  const pool = new WindowPool();
  let whole = 0;
  while (pool.openResponseWindow().size === limits.INITIAL_WINDOW_BYTES) whole++;
  assert.match(section("### Credit"), new RegExp(`the first ${whole} stalled responses keep 256 KiB each`));
});

// --- examples ------------------------------------------------------------------------------------------------

interface Example {
  from: Role;
  bytes: Uint8Array;
  frames: VectorFrame[];
}

const EXAMPLES: Example[] = [
  ...PAGE.matchAll(/```hex (relay|worker)\n([^`]*)```\n\n```jsonl\n([^`]*)```/g),
].map(([, from, hex = "", frames = ""]) => ({
  from: from as Role,
  bytes: Buffer.from(
    hex
      .split("\n")
      .map((line) => line.trim().split("  ")[0]!.replaceAll(" ", ""))
      .join(""),
    "hex",
  ),
  frames: frames
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line)),
}));

test("there is an example of every frame, and none is passed over", () => {
  assert.equal(EXAMPLES.length, PAGE.match(/```hex/g)!.length);
  const types = new Set(EXAMPLES.flatMap(({ frames }) => frames.map(({ type }) => type)));
  assert.deepEqual(types, new Set(Object.keys(FRAME)));
});

for (const { from, bytes, frames } of EXAMPLES) {
  test(`example: ${frames.map(({ type, exchange }) => `${type} ${exchange}`).join(", ")}`, () => {
    assert.deepEqual(decoded(bytes, OTHER[from]), frames);
    assert.equal(toHex(encoded(frames)), toHex(bytes));
  });
}
