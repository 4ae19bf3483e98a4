import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteTail } from "../../../server/relay/byte_tail.ts";

test("bytes are the last of all that was pushed", () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 32 }), (chunks, max) => {
      const tail = new ByteTail(max);
      const all: number[] = [];
      for (const chunk of chunks) {
        tail.push(chunk);
        all.push(...chunk);
        assert.deepEqual([...tail.bytes], all.slice(-max));
        assert.ok(tail.bytes.buffer.byteLength <= 2 * max);
      }
    }),
  );
});

test("push() copies: the chunk may be used for something else", () => {
  const tail = new ByteTail(8);
  const chunk = Uint8Array.of(1, 2, 3);
  tail.push(chunk);
  chunk.fill(0);
  assert.deepEqual([...tail.bytes], [1, 2, 3]);
});
