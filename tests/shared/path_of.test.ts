import assert from "node:assert/strict";
import { test } from "node:test";
import { hasDotSegment, pathOf } from "../../shared/path_of.ts";

test("pathOf() is what stands before the query", () => {
  assert.deepEqual(["/a?b?c", "/a", "/?", "/a%3Fb"].map(pathOf), ["/a", "/a", "/", "/a%3Fb"]);
});

test("hasDotSegment() sees a way out of a prefix, however its slashes are written", () => {
  const out = [
    "/v1/..",
    "/v1/../a",
    "/v1/..%2fa",
    "/v1%2F..%2Fa",
    "/v1/%2e%2E%2fa",
    "/v1/.%5Ca",
    "/v1\\..\\a",
    "/v1/.%2e",
  ];
  const inside = [
    "/v1",
    "/v1/a..b",
    "/v1/...",
    "/v1/a%2fb",
    "/v1/..a",
    "/v1/a..",
    "/v1/%2e%2ea",
    "/files/a%2F.b",
  ];
  for (const path of out) assert.equal(hasDotSegment(path), true, path);
  for (const path of inside) assert.equal(hasDotSegment(path), false, path);
});
