import assert from "node:assert/strict";
import { test } from "node:test";
import { isAsSealed, sealed, XML_COMMENT } from "../../../shared/service/seal.ts";

for (const [name, text] of [
  ["hash", sealed("a\nb\n")],
  ["XML", sealed("<a/>\n", XML_COMMENT)],
  ["empty", sealed("")],
] as const) {
  test(`a sealed text is known again, and any change of it is seen: ${name}`, () => {
    assert.equal(isAsSealed(text), true);
    for (const changed of [`${text}\n`, ` ${text}`, text.slice(0, -1), text.replace("above", "below")])
      assert.equal(isAsSealed(changed), false, JSON.stringify(changed));
    for (let at = 0; at < text.length; at++)
      assert.equal(isAsSealed(`${text.slice(0, at)}~${text.slice(at + 1)}`), false);
  });
}

test("a text without a seal is somebody's", () => {
  for (const text of ["", "\n", "[Unit]\n", sealed("a\n").split("\n").slice(0, -2).join("\n")])
    assert.equal(isAsSealed(text), false);
});
