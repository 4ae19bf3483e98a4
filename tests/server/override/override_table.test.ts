import assert from "node:assert/strict";
import { test } from "node:test";
import type { OverrideSettings } from "../../../server/override/override_settings.ts";
import { decideOverride } from "../../../server/routing/override.ts";
import { serveSettings } from "../../../server/settings.ts";
import { printSettings } from "../../../shared/settings/print.ts";
import { complaint, serve } from "../../shared/settings/written.ts";
import { at, SIGNING, THERE } from "./override_file.ts";

test("[override] is read from a file, paths from its folder on, patterns compiled", () => {
  const { endpoints, ...rest } = serve(THERE).settings.override!;
  assert.deepEqual(rest, {
    listen: { unix: at("override.sock") },
    resolver: { host: "127.0.0.1", port: 5353 },
    require: ["listener", "signature"],
    keys: [
      { id: "k1", secret: { env: "SIGNING" }, endpoints: new Set(["vertex"]) },
      { id: "k2", secret: { credential: "signing" } },
    ],
  });
  assert.deepEqual(
    endpoints.map(({ patterns, ...endpoint }) => ({ ...endpoint, patterns: patterns.length })),
    [
      {
        name: "oci-dac",
        patterns: 1,
        provider: "oci",
        credential: "passthrough",
        join: true,
        allowPrivate: ["10.0.0.0/8", "fd00::1/128"],
      },
      {
        name: "vertex",
        patterns: 2,
        credential: "secret",
        secret: { file: at("vertex-token") },
        join: false,
        allowPrivate: [],
      },
    ],
  );
});

test("what was read is a policy", () => {
  const url = "https://eu-aiplatform.googleapis.com/v1/locations/eu/models/m?alt=sse";
  const ask = { endpoint: [url], modelProvider: [], method: "POST", requestTarget: "/" };
  const decision = decideOverride(ask, serve(THERE).settings.override, {});
  assert.equal(decision.type === "provider" && decision.target.endpoint.name, "vertex");
});

const MINIMAL = { endpoint: [{ name: "a", patterns: ["https://a.example/**"] }] };

test("[override] may be JSON, and leaves most things out", () => {
  const { override } = serve({
    flags: { override: JSON.stringify({ ...MINIMAL, listen: "127.0.0.1:0" }) },
  }).settings;
  const { endpoints, ...rest } = override!;
  assert.deepEqual(rest, { keys: [], require: [], listen: { host: "127.0.0.1", port: 0 } });
  assert.partialDeepStrictEqual(endpoints, [
    { name: "a", credential: "none", join: false, allowPrivate: [] },
  ]);
  assert.equal(serve({}).settings.override, undefined);
});

test("[override] is printed as a file that gives it again, without what its secrets are", () => {
  const loaded = serve(THERE);
  const printed = printSettings(serveSettings, loaded);
  assert.match(printed, /^override = \{ listen = "unix:/m);
  assert.ok(!printed.includes("Bearer") && !printed.includes(SIGNING));
  const again = serve({ ...THERE, files: { ...THERE.files, "etc/relay.toml": printed } });
  assert.deepEqual(again.settings.override satisfies OverrideSettings | undefined, loaded.settings.override);
});

test("the start is stopped where nobody could name an endpoint", () => {
  const [message, hint] = complaint(() => serve({ flags: { override: JSON.stringify(MINIMAL) } }));
  assert.equal(
    message,
    "Cannot use --override: nobody could name an endpoint, as there is no API key with the scope override",
  );
  assert.match(hint!, /--api-keys-file/);
  const needsKey = { ...MINIMAL, listen: "127.0.0.1:0", require: ["key"] };
  assert.match(
    complaint(() => serve({ flags: { override: JSON.stringify(needsKey) } }))[0],
    /nobody could name/,
  );
});

test("outside a file the key is named without a line", () => {
  const refused = (override: string) => complaint(() => serve({ flags: { override } }))[0];
  assert.equal(refused("{"), "Cannot read --override: override is not JSON");
  assert.equal(refused("3"), "Cannot read --override: override must be a table: found 3");
  assert.equal(
    refused(JSON.stringify({ endpoint: [{ name: "a", patterns: [] }] })),
    "Cannot read --override: override.endpoint[1].patterns must be a list of 1 to 64 texts: found []",
  );
});
