import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN_LIMITS } from "../support/link_form.ts";
import { PROJECT_FILES, read } from "./source_tree.ts";

/** What a plain link cannot do is told in docs/modelrelay.md, and is what tests are left out for, and nothing else. */

const [, section] =
  /\n## What a plain link cannot do\n([\s\S]*?)\n## /.exec(read("docs/modelrelay.md")) ?? [];

test("each limit of a plain link is in the manual with its reason, and no other", () => {
  assert.ok(section);
  const told = [...section.matchAll(/^- \*\*(.+?)[:,.]\*\*/gm)].map(([, heading]) => heading);
  assert.deepEqual(told, Object.values(PLAIN_LIMITS));
});

test("each limit of a plain link is why some test is left out", () => {
  const tests = PROJECT_FILES.filter((path) => path.startsWith("tests/end_to_end/")).map(read);
  assert.ok(tests.length > 0);
  const named = (limit: string) => tests.some((text) => text.includes(`cannotOverPlain("${limit}")`));
  assert.deepEqual(
    Object.keys(PLAIN_LIMITS).filter((limit) => !named(limit)),
    [],
  );
});
