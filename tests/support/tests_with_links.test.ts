import assert from "node:assert/strict";
import { test } from "node:test";
import { testsWithLinks } from "./tests_with_links.ts";

const found = testsWithLinks(["tests/end_to_end"]);
const named = (name: string) => found.includes(`tests/end_to_end/${name}.test.ts`);

test("testsWithLinks() has what starts a worker itself, in a helper, and by typing the command", () => {
  for (const name of ["death", "bytes", "routing_session", "local_backends"]) assert.ok(named(name), name);
});

test("testsWithLinks() has no test of the relay alone, of endpoints that requests name, nor of ModelRelay's workers", () => {
  for (const name of ["reserved_over_tls", "override_vectors", "modelrelay_catalogue"])
    assert.ok(!named(name), name);
});

test("testsWithLinks() takes single files too", () => {
  const paths = ["death", "reserved_over_tls"].map((name) => `tests/end_to_end/${name}.test.ts`);
  assert.deepEqual(testsWithLinks(paths), paths.slice(0, 1));
});
