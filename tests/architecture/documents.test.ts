import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { PROJECT_FILES, read } from "./source_tree.ts";

const documents = PROJECT_FILES.filter((path) => path.endsWith(".md"));
const commented = PROJECT_FILES.filter((path) => /\.(?:ts|py)$/.test(path));

/** A name in backticks that is a file's, or in a folder of ours; the folder's slash at its end may be there. */
const NAMED =
  /`((?:[\w.@*-]+\/)*[\w@*-][\w.@*-]*\.(?:ts|md|json|toml|py)|(?:server|worker|shared|tests|docs|bench)\/[\w./*-]*)`/g;

const OF_THE_ROOT = /^(?:server|worker|shared|tests|docs|bench)\//;

/** `*` stands for any part of a name. What does not start at the root may be in any folder. */
function exists(name: string): boolean {
  const pattern = name
    .replace(/\/$/, "/*")
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^\\s]*");
  const expected = new RegExp(`${OF_THE_ROOT.test(name) ? "^" : "(?:^|/)"}${pattern}$`);
  return PROJECT_FILES.some((path) => expected.test(path));
}

test("every file that a document or a comment names exists", () => {
  const named = [...documents, ...commented].flatMap((path) =>
    [...read(path).matchAll(NAMED)].map(([, name]) => ({ path, name: name! })),
  );
  assert.ok(named.length > 50);
  assert.ok(!exists("server/never_written.ts"));
  const missing = named.filter(({ name }) => !exists(name));
  assert.deepEqual(missing, []);
});

test("every link of a document leads somewhere", () => {
  const links = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target]) => ({ path, target: target! })),
  );
  assert.ok(links.length > 5);
  const dead = links.filter(({ path, target }) => {
    const [file = "", anchor] = target.split("#");
    const document = file === "" ? path : join(dirname(path), file);
    if (!exists(document)) return true;
    return anchor !== undefined && !anchors(read(document)).has(anchor);
  });
  assert.deepEqual(dead, []);
});

/** As GitHub makes them from headings. */
function anchors(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

test("the tree of ARCHITECTURE.md is the tree", () => {
  const tree = /^## The tree\n[\s\S]*?```text\n([\s\S]*?)```/m.exec(read("ARCHITECTURE.md"))![1]!;
  const listed = pathsIn(tree);
  assert.ok(listed.length > 50);
  assert.deepEqual(
    listed.filter((path) => !exists(path)),
    [],
    "listed and not there",
  );
  const product = PROJECT_FILES.filter((path) => /^(?:main|(?:server|worker|shared)\/.*)\.ts$/.test(path));
  const patterns = listed.map(
    (path) => new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "\\w*")}$`),
  );
  assert.deepEqual(
    product.filter((path) => !patterns.some((pattern) => pattern.test(path))),
    [],
    "there and not listed",
  );
});

/** A line is a name, or several, and behind two spaces what it is; what is in a folder stands two spaces further in. */
function pathsIn(tree: string): string[] {
  const folders: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, indent, names] = /^( *)(\S+(?: \S+)*)(?: {2}|$)/.exec(line) ?? [];
    if (names === undefined) return [];
    folders.length = indent!.length / 2;
    const paths = names.split(" ").map((name) => folders.join("") + name);
    if (names.endsWith("/")) folders.push(names);
    return paths;
  });
}
