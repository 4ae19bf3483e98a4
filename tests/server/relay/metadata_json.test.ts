import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MetadataJson } from "../../../server/relay/metadata_json.ts";
import { bytesOf, changed, chunked, textOf } from "./body_changes.ts";

const MEMBER = '"openrouter_metadata":{"attempt":1}';
const change = () => new MetadataJson(() => MEMBER);

/** As the body is to be, from where its last brace is. */
function wanted(text: string, comma: string): string {
  const brace = text.lastIndexOf("}");
  return text.slice(0, brace) + comma + MEMBER + text.slice(brace);
}

test("any object gets the member at its end, wherever its chunks end, and keeps all of its bytes", () => {
  const body = fc.record({
    object: fc.dictionary(fc.string(), fc.jsonValue()),
    indent: fc.constantFrom(0, 2, "\t"),
    around: fc.constantFrom("", "\n", " \r\n"),
  });
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  const examined = fc.property(body, lengths, ({ object, indent, around }, pieces) => {
    const text = around + JSON.stringify(object, undefined, indent) + around;
    const after = changed(change(), chunked(text, pieces));
    assert.equal(after, wanted(text, Object.keys(object).length === 0 ? "" : ","));
    assert.deepEqual(JSON.parse(after).openrouter_metadata, { attempt: 1 });
  });
  fc.assert(examined, { numRuns: 500 });
});

test("what is no object passes as it came", () => {
  const bodies = [
    "",
    " ",
    "[]",
    '[{"a":1}]',
    '"{}"',
    "1",
    "null",
    "}",
    "<html>{}</html>",
    '{"a":"}',
    '{"a":{}',
  ];
  for (const text of bodies) assert.equal(changed(change(), chunked(text, [1])), text);
});

test("braces and quotes in strings do not count, nor what follows the object", () => {
  for (const text of ['{"a":"}\\"}\\\\"}', '{"a\\"{":[{"b":"]"},"{"]}', '{"}":{"{":{}}}']) {
    assert.equal(changed(change(), chunked(text, [1])), wanted(text, ","));
  }
  assert.equal(changed(change(), [bytesOf('{"a":1}{"b":2}')]), `${wanted('{"a":1}', ",")}{"b":2}`);
});

test("nothing is kept back, no piece is empty, and the member is asked for once", () => {
  let asked = 0;
  const counting = new MetadataJson(() => {
    asked++;
    return MEMBER;
  });
  assert.equal(textOf(counting.data(bytesOf('{"a":1'))), '{"a":1');
  const closing = counting.data(bytesOf("}"));
  assert.ok(closing.every(({ length }) => length > 0));
  assert.equal(textOf(closing), `,${MEMBER}}`);
  assert.equal(textOf(counting.data(bytesOf('\n{"b":1}'))), '\n{"b":1}');
  assert.deepEqual([counting.end(), counting.cut(), asked], [[], [], 1]);
});
