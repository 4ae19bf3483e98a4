import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError, RESET_CODES } from "../../../shared/link/events.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import { FramedEnd, HEAD } from "./framed_ends.ts";
import { decoded, encoded, fromHex, OTHER, type Role, toHex, VECTORS } from "./vector_frames.ts";

test("there are vectors of every kind, for every frame type and from both ends", () => {
  const { frames, messages, errors, ignored } = VECTORS;
  assert.deepEqual(new Set(frames.map(({ frame }) => frame.type)), new Set(Object.keys(FRAME)));
  for (const list of [frames, messages]) assert.equal(new Set(list.map(({ from }) => from)).size, 2);
  for (const list of [errors, ignored]) assert.equal(new Set(list.map(({ at }) => at)).size, 2);
  const names = [...frames, ...messages, ...errors, ...ignored].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 60);
});

for (const { name, from, hex, frame } of VECTORS.frames) {
  test(`frame: ${name}`, () => {
    assert.deepEqual(decoded(fromHex(hex), OTHER[from]), [frame]);
    assert.equal(toHex(encoded([frame])), hex);
    if (frame.type === "RESET") assert.equal(frame.code_name, RESET_CODES[frame.code]);
  });
}

for (const { name, from, hex, frames } of VECTORS.messages) {
  test(`message: ${name}`, () => {
    assert.deepEqual(decoded(fromHex(hex), OTHER[from]), frames);
    assert.equal(toHex(encoded(frames)), hex);
  });
}

/** An end in the state that a case names. */
function endIn({ at, state, before }: { at: Role; state: "none" | "open"; before: string[] }): FramedEnd {
  const end = new FramedEnd(at);
  if (state === "open" && at === "worker") end.connection.receive(fromHex(VECTORS.opened_by));
  if (state === "open" && at === "relay") end.connection.openExchange(HEAD);
  for (const hex of before) end.connection.receive(fromHex(hex));
  end.messages();
  return end;
}

for (const vector of VECTORS.errors) {
  test(`error at the ${vector.at}: ${vector.name}`, () => {
    const end = endIn(vector);
    assert.throws(
      () => end.connection.receive(vector.text ?? fromHex(vector.hex!)),
      (error) => error instanceof LinkProtocolError,
    );
  });
}

for (const vector of VECTORS.ignored) {
  test(`ignored at the ${vector.at}: ${vector.name}`, () => {
    const end = endIn(vector);
    const before = end.events.length;
    end.connection.receive(fromHex(vector.hex));
    assert.equal(end.events.length, before);
    assert.equal(
      end
        .messages()
        .map((message) => toHex(message as Uint8Array))
        .join(""),
      vector.answer,
    );
  });
}
