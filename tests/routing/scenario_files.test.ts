import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "smol-toml";
import { dryRun } from "../../server/route_test/dry_run.ts";
import { readScenario } from "../../server/route_test/read_scenario.ts";
import { RULE_NAMES } from "../../server/route_test/scenario_schema.ts";
import { PREFERENCE_NAMES } from "../../server/routing/preferences.ts";

/** That the scenarios are worth their names. Whether they hold is tested in `scenarios.test.ts`. */
type Table = Record<string, unknown>;

const FOLDER = join(import.meta.dirname, "scenarios");

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".toml"))
  .map((path) => ({ name: basename(path, ".toml"), text: readFileSync(join(FOLDER, path), "utf8") }))
  .map(({ name, text }) => ({ name, text, table: parse(text) as Table }));

test("there are at least 60 scenarios, each named once for its rule and told in words", () => {
  assert.ok(files.length >= 60);
  assert.equal(new Set(files.map(({ name }) => name)).size, files.length);
  for (const { name, table } of files) {
    assert.match(name, /^[a-z]+(-[a-z0-9]+)+$/);
    assert.match(`${table.title}`, /^\S.{14,}[^.]$/, name);
    assert.match(`${table.why}`, /^\S.{14,}[.)]$/, name);
  }
});

test("every preference is asked for somewhere, and somebody falls to every rule", () => {
  const asked = new Set(files.flatMap(({ table }) => Object.keys(preferencesOf(table))));
  assert.deepEqual(
    PREFERENCE_NAMES.filter((name) => !asked.has(name)),
    [],
  );
  const fallenTo = new Set(
    files.flatMap(({ table }) => Object.values((table.expect as Table).rejected ?? {})),
  );
  // Nothing is tried in a dry run.
  assert.deepEqual(
    RULE_NAMES.filter((name) => !fallenTo.has(name)),
    ["not_tried"],
  );
});

/** What a scenario may be about: without it, something else must come out. */
const PARTS: Readonly<Record<string, { take(table: Table): boolean; changesNothingIn: Table }>> = {
  provider: {
    take: (table) => {
      const { headers = {}, body = {} } = table.request as { headers?: Table; body?: Table };
      const taken = [
        take(table.request as Table, "provider"),
        take(headers, "x-provider"),
        take(body, "provider"),
      ];
      return taken.includes(true);
    },
    changesNothingIn: {
      "only-empty-is-not-given": "an empty list is none",
      "fallbacks-on-is-the-default": "it is the default",
      "sort-exacto-is-the-default-ranking": "it is the default",
      "data-collection-allowed-filters-nobody": "it is the default",
      "parameters-not-required-may-be-missing": "it is the default",
      "body-provider-of-text-is-the-backends": "it is not meant for the relay",
      "body-encoded-is-not-read": "it is not seen",
    },
  },
  models: {
    take: (table) => take(((table.request as Table).body ?? {}) as Table, "models"),
    changesNothingIn: { "models-nobody-serves-any": "nobody serves them" },
  },
  session: {
    take: (table) => take(table, "session"),
    changesNothingIn: {
      "sticky-worker-without-a-slot": "its worker has no slot",
      "sticky-worker-that-leaves": "its worker may not serve",
      "sticky-worker-that-has-left": "its worker has left",
      "sticky-is-off-under-order": "an order is given",
      "sticky-is-off-under-sort": "a sort is given",
    },
  },
  kept: {
    take: (table) => take(table, "kept"),
    changesNothingIn: {
      "kept-does-not-pass-a-filter": "its keeper is filtered out",
      "kept-by-somebody-who-left": "its keeper has left",
    },
  },
  measured: {
    take: (table) => take(table, "measured"),
    changesNothingIn: {
      "suffix-yields-to-sort": "another sort is given",
      "suffix-yields-to-order": "an order is given",
    },
  },
  absent: {
    take: (table) => take(table, "absent"),
    changesNothingIn: {
      "absent-worker-holds-up-nobody": "somebody is there",
      "absent-worker-that-may-not-serve": "it may not serve either",
      "kept-by-somebody-who-left": "somebody is there",
      "sticky-worker-that-has-left": "somebody is there",
    },
  },
};

for (const [part, { take: takePart, changesNothingIn }] of Object.entries(PARTS)) {
  test(`${part}: without it something else comes out`, () => {
    const unchanged = files
      .filter(({ name, text }) => {
        const without = parse(text) as Table;
        return takePart(without) && outcome(name, text) === outcome(name, runnable(without));
      })
      .map(({ name }) => name);
    assert.deepEqual(unchanged.sort(), Object.keys(changesNothingIn).sort());
  });
}

/** Only what another preference overrules. */
const OVERRULED = [
  "combined-all-five: sort",
  "combined-order-sort-and-no-fallbacks: sort",
  "order-beats-sort: sort",
];

test("each preference of a scenario counts by itself", () => {
  const unchanged = files.flatMap(({ name, text }) =>
    Object.keys(preferencesOf(parse(text)))
      .filter((key) => {
        const without = parse(text) as Table;
        return (
          !Object.hasOwn(PARTS.provider!.changesNothingIn, name) &&
          take(preferencesOf(without), key) &&
          outcome(name, text) === outcome(name, runnable(without))
        );
      })
      .map((key) => `${name}: ${key}`),
  );
  assert.deepEqual(unchanged.sort(), OVERRULED);
});

function take(table: Table, key: string): boolean {
  const had = Object.hasOwn(table, key);
  delete table[key];
  return had;
}

/** A scenario of which a part was taken may not speak of it any longer. */
function runnable({ worker, absent, ...rest }: Table): string {
  const names = [worker, absent].flatMap((list) => (list ?? []) as Table[]).map(({ name }) => name);
  const known = (list: unknown) => ((list ?? []) as Table[]).filter((entry) => names.includes(entry.worker));
  return stringify({
    ...rest,
    worker: worker ?? [],
    absent: absent ?? [],
    session: known(rest.session),
    kept: known(rest.kept),
    expect: { decision: "dispatch" },
  });
}

/** What becomes of the request, and what its client is told. */
function outcome(name: string, text: string): string {
  const { request, fleet, settings } = readScenario(name, text);
  const { decision, candidates, request: understood } = dryRun(request, fleet, settings);
  const order = candidates.map(({ worker, model }) => [worker, model]);
  return JSON.stringify([decision.type, decision.code, order, understood.warnings]);
}

/** Those that are tables: a list of names in a header says `only`. */
function preferencesOf({ request }: Table): Table {
  const { provider, body } = request as { provider?: unknown; body?: Table };
  return (
    ([provider, body?.provider].find(
      (value) => typeof value === "object" && !Array.isArray(value),
    ) as Table) ?? {}
  );
}
