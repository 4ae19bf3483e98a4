import assert from "node:assert/strict";
import { test } from "node:test";
import { serveSettings } from "../../../server/settings.ts";
import { configFile } from "../../../shared/command_line/config_file.ts";
import { describe } from "../../../shared/settings/describe.ts";
import { inspect } from "../../../shared/settings/load.ts";
import { workerSettings } from "../../../worker/settings.ts";

for (const [name, schema] of [
  ["serve", serveSettings],
  ["worker", workerSettings],
] as const) {
  const text = configFile(name, schema);
  const sourcesFor = (content: string) => ({
    flags: new Map([["config", ["made.toml"]]]),
    env: {},
    readText: (path: string) => (path === "made.toml" ? content : "a secret of the test"),
    isFile: () => false,
  });

  test(`the file for ${name} has every setting, and as it is it changes nothing`, () => {
    const keys = [...text.matchAll(/^#(\w+) = /gm)].map(([, key]) => key!.replace(/_file$/, ""));
    assert.deepEqual(
      keys,
      describe(schema).map(({ tomlKey }) => tomlKey.replace(/_file$/, "")),
    );
    const { loaded } = inspect(schema, sourcesFor(text)) as { loaded: { settings: unknown } };
    assert.deepEqual(
      loaded.settings,
      inspect(schema, { ...sourcesFor(""), flags: new Map() }).mistakes ?? schema.parse({}),
    );
  });

  test(`each line of the file for ${name} that has a default can be taken as it is`, () => {
    const withDefaults = describe(schema).filter(({ default: fallback, kind }) => fallback && !kind.secret);
    assert.ok(withDefaults.length > 8);
    let filled = text;
    for (const { tomlKey } of withDefaults) filled = filled.replace(`\n#${tomlKey} = `, `\n${tomlKey} = `);
    const inspected = inspect(schema, sourcesFor(filled));
    assert.deepEqual(inspected.mistakes, undefined);
    assert.deepEqual((inspected as { loaded: { settings: unknown } }).loaded.settings, schema.parse({}));
  });
}
