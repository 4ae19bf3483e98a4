import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { PROJECT_FILES, sources } from "./source_tree.ts";
import { readSyntax, type SourceFacts } from "./syntax.ts";

/** The manual: texts, which go into the program as they are. */
const DOCUMENTS = PROJECT_FILES.filter((path) =>
  /^(?:docs\/[^/]+\.md|README\.md|CHANGELOG\.md|LICENSE)$/.test(path),
);

/**
 * Which part may know which. The first folder that a file is in decides; a target is a folder (with everything
 * below it), a file, a package or `node:` for all of the runtime's own modules.
 */
const MAY_IMPORT: readonly (readonly [folder: string, ...targets: string[]])[] = [
  // Functional core: what it decides follows from what it is given.
  [
    "server/routing",
    ...["server/routing", "shared/endpoint_prefixes.ts", "shared/failures.ts", "shared/labels.ts"],
    ...["shared/command_line/nearest.ts", "shared/path_of.ts", "shared/printable.ts", "tldts-icann"],
  ],
  // No I/O: bytes in, events out. What they know of sockets and time are types.
  [
    "shared/http1",
    "shared/http1",
    "shared/runtime/ports.ts",
    "shared/clock.ts",
    "shared/joined.ts",
    "shared/open_table.ts",
    "node:buffer",
  ],
  [
    "shared/link",
    ...["shared/link", "shared/http1/types.ts", "shared/runtime/ports.ts", "shared/clock.ts"],
    ...["shared/headers.ts", "shared/failures.ts", "shared/failure_table.ts", "shared/endpoint_prefixes.ts"],
    ...["shared/labels.ts", "shared/read_labels.ts", "shared/release.ts", "shared/open_table.ts"],
    ...["zod", "node:buffer", "node:timers"],
  ],
  // In place of Deno's own WebSockets: docs/runtimes.md.
  ...["websocket", "socket", "listen", "context"].map(
    (name) =>
      [
        `shared/runtime/deno_${name}.ts`,
        "shared/runtime",
        "shared/received_fields.ts",
        "ws",
        "node:",
      ] as const,
  ),
  ["shared/runtime", "shared/runtime", "shared/release.ts", "shared/received_fields.ts", "node:"],
  ["shared/manual/texts.ts", "shared/manual", ...DOCUMENTS],
  ["shared", "shared", "package.json", "@logtape/logtape", "ipaddr.js", "smol-toml", "zod", "node:"],
  [
    "server",
    "server",
    "shared",
    "elysia",
    "@elysiajs/eden",
    "ipaddr.js",
    "smol-toml",
    "tldts-icann",
    "zod",
    "node:",
  ],
  ["worker", "worker", "shared", "zod", "node:"],
  ["main.ts", "server", "worker", "shared", "package.json", "node:"],
  ["deploy", "deploy", "shared/commit.ts", "package.json", "package-lock.json", "node:"],
  ["docs", "docs", "main.ts", "server/override", "server/route_test", "server/routing", "shared", "node:"],
];

/** Elysia is the edge; the rest of the server is plain functions. A plugin of it adds itself here. */
const ELYSIA_FILES = ["server/app.ts"];

/** All that the rest of the program knows of a runtime. */
const RUNTIME_DOORS = ["shared/runtime/ports.ts", "shared/runtime/current.ts"];

/** What is the same everywhere: a check of two PEM texts, how a target is written. */
const RUNTIME_NEUTRAL = ["shared/runtime/certificate_pair.ts", "shared/runtime/target.ts"];

/** What Signalbox is measured against: the proxy that one would write in Bun's own words. */
const NAMES_A_RUNTIME = ["bench/fetch_proxy.ts"];

const all = await readSyntax(sources());
const product = all.filter(({ path }) => !/^(tests|bench)\//.test(path));

/** What a file imports: paths from the root for our own files, specifiers for the rest. */
function targets({ path, imports }: SourceFacts, options: { values?: boolean } = {}): string[] {
  return imports
    .filter(({ typeOnly }) => !options.values || !typeOnly)
    .map(({ specifier }) => (specifier.startsWith(".") ? join(dirname(path), specifier) : specifier));
}

const isWithin = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith(":") ? folder : `${folder}/`);

test("there are sources of every part", () => {
  for (const [folder] of MAY_IMPORT)
    assert.ok(
      product.some(({ path }) => isWithin(path, folder)),
      folder,
    );
  assert.ok(all.flatMap((file) => targets(file)).length > all.length);
});

test("each part imports only what it may know", () => {
  const wrong = product.flatMap((file) => {
    const [folder, ...allowed] = MAY_IMPORT.find(([candidate]) => isWithin(file.path, candidate)) ?? [""];
    assert.notEqual(folder, "", `no rule for ${file.path}`);
    return targets(file)
      .filter((target) => !allowed.some((candidate) => isWithin(target, candidate)))
      .map((target) => `${file.path} imports ${target}`);
  });
  assert.deepEqual(wrong, []);
});

test("Elysia is imported by the files listed here, and by each of them", () => {
  const importing = product.filter((file) => targets(file).some((target) => isWithin(target, "elysia")));
  assert.deepEqual(
    importing.map(({ path }) => path),
    ELYSIA_FILES,
  );
});

test("only shared/runtime names Bun or Deno", () => {
  const naming = all.filter(({ names }) => names.has("Bun") || names.has("Deno")).map(({ path }) => path);
  assert.ok(naming.length > 0);
  assert.deepEqual(
    naming.filter((path) => !isWithin(path, "shared/runtime")),
    NAMES_A_RUNTIME,
  );
});

test("only shared/runtime imports what is of one runtime", () => {
  const doors = [...RUNTIME_DOORS, ...RUNTIME_NEUTRAL];
  const wrong = product
    .filter(({ path }) => !isWithin(path, "shared/runtime"))
    .flatMap((file) => targets(file).map((target) => [file.path, target] as const))
    .filter(([, target]) => isWithin(target, "shared/runtime") && !doors.includes(target));
  assert.deepEqual(wrong, []);
});

test("no files import each other in a circle, types aside", () => {
  const edges = new Map(all.map((file) => [file.path, targets(file, { values: true })]));
  const circle = { a: ["b"], b: ["c"], c: ["b"] };
  assert.deepEqual(findCircle(new Map(Object.entries(circle))), ["b", "c", "b"]);
  assert.deepEqual(findCircle(edges), undefined);
});

/** The first circle in a graph, its first file repeated at the end. */
function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, way: string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const circle = walk(next, [...way, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const circle = walk(file, []);
    if (circle) return circle;
  }
  return undefined;
}
