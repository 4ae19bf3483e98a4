import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { CLOSED, DASHBOARD, type Document, SIGN_IN } from "../../../server/dashboard/documents.ts";
import { PROJECT_FILES, read } from "../../architecture/source_tree.ts";

const DOCUMENTS: Record<string, Document> = { DASHBOARD, SIGN_IN, CLOSED };

/** What stands between the tags of each such element. */
function insides(html: string, tag: string): string[] {
  return [...html.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, "g"))].map(
    ([, inside]) => inside!,
  );
}

const digestOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The sources that a directive of the policy names; none without the directive. */
function sourcesOf({ policy }: Document, directive: string): string[] {
  const found = policy.split("; ").find((text) => text.startsWith(`${directive} `));
  return found?.split(" ").slice(1) ?? [];
}

for (const [name, document] of Object.entries(DOCUMENTS)) {
  test(`${name}: the policy names its script and its style by what they are, and nothing else may run`, () => {
    const scripts = insides(document.html, "script");
    assert.equal(scripts.length, document === CLOSED ? 0 : 1);
    assert.deepEqual(sourcesOf(document, "script-src"), scripts.map(digestOf));
    assert.deepEqual(sourcesOf(document, "style-src"), insides(document.html, "style").map(digestOf));
    assert.deepEqual(sourcesOf(document, "default-src"), ["'none'"]);
    assert.doesNotMatch(document.policy, /unsafe|https?:|\*/);
  });

  test(`${name}: nothing of it is elsewhere, and no markup runs`, () => {
    const markup = document.html.replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/g, "");
    assert.ok(markup.length > 200);
    assert.doesNotMatch(markup, /\son\w+\s*=|\sstyle\s*=|javascript:/i);
    const links = [...markup.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map(([, link]) => link!);
    assert.deepEqual(
      links.filter((link) => !link.startsWith("data:image/")),
      [],
    );
  });
}

test("a page that runs nothing has no script-src but that of default-src", () => {
  assert.doesNotMatch(CLOSED.policy, /script-src|connect-src/);
});

test("no script turns a text into markup or code", () => {
  const scripts = PROJECT_FILES.filter((path) => /^server\/dashboard\/page\/.*\.js$/.test(path));
  assert.ok(scripts.length > 3);
  for (const path of scripts) {
    assert.doesNotMatch(
      read(path),
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(/,
      path,
    );
    assert.doesNotMatch(read(path), /<\/script/i, path);
  }
});
