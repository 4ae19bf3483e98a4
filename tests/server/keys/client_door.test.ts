import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ClientDoor, requireScope } from "../../../server/keys/client_door.ts";
import { type ClientKeyMap, parseKeys } from "../../../server/keys/keys_file.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const FILE = `
[[key]]
name = "alice"
sha256 = "${sha256("alice-key")}"

[[key]]
name = "ops"
sha256 = "${sha256("ops-key").toUpperCase()}"
scopes = ["inference", "explain"]
`;

function door(required: boolean, keys: ClientKeyMap = parseKeys("keys.toml", FILE)): ClientDoor {
  return new ClientDoor({ required, keys: () => keys });
}

const ADMITTED: [headers: Record<string, string>, name: string | undefined, stripped: string[]][] = [
  [{ authorization: "Bearer alice-key" }, "alice", ["authorization"]],
  [{ authorization: "bearer  alice-key " }, "alice", ["authorization"]],
  [{ authorization: "alice-key" }, "alice", ["authorization"]],
  [{ "x-api-key": "ops-key" }, "ops", ["x-api-key"]],
  [{ "api-key": "ops-key" }, "ops", ["api-key"]],
  // The backend's own credential goes on; ours, however often, does not.
  [{ "x-api-key": "alice-key", authorization: "Bearer theirs" }, "alice", ["x-api-key"]],
  [{ "x-api-key": "alice-key", authorization: "Bearer ops-key" }, "ops", ["authorization", "x-api-key"]],
];

test("a known key is found in each header, and these headers stay here", () => {
  for (const [headers, name, stripped] of ADMITTED) {
    for (const required of [true, false]) {
      const { key, credentialHeaders } = door(required).authenticate(new Headers(headers));
      assert.deepEqual([key?.name, credentialHeaders], [name, stripped], JSON.stringify(headers));
    }
  }
});

test("a key that was taken out opens nothing, however often it did before", () => {
  const keys = parseKeys("keys.toml", FILE);
  let current: ClientKeyMap = keys;
  const changing = new ClientDoor({ required: true, keys: () => current });
  const headers = new Headers({ authorization: "Bearer alice-key" });
  for (let times = 0; times < 3; times++) assert.equal(changing.authenticate(headers).key?.name, "alice");
  current = new Map();
  assert.throws(() => changing.authenticate(headers), { code: "invalid_api_key" });
  current = new Map([[sha256("alice-key"), { name: "another", scopes: new Set(["inference"] as const) }]]);
  assert.equal(changing.authenticate(headers).key?.name, "another");
});

const REFUSED: [headers: Record<string, string>, code: string][] = [
  [{}, "unauthorized"],
  [{ cookie: "alice-key" }, "unauthorized"],
  [{ authorization: "Bearer wrong" }, "invalid_api_key"],
  [{ authorization: "Bearer " }, "invalid_api_key"],
  [{ authorization: `Bearer ${sha256("alice-key")}` }, "invalid_api_key"],
  [{ authorization: "Basic alice-key" }, "invalid_api_key"],
  [{ "x-api-key": "alice-key, ops-key" }, "invalid_api_key"],
  [{ "x-api-key": "k".repeat(100_000) }, "invalid_api_key"],
];

test("nobody else comes in where keys are required, and everybody does where they are not", () => {
  for (const [headers, code] of REFUSED) {
    assert.throws(() => door(true).authenticate(new Headers(headers)), { name: "RelayFailure", code });
    const admitted = door(false).authenticate(new Headers(headers));
    assert.deepEqual([admitted.key, admitted.credentialHeaders], [undefined, []]);
  }
  assert.throws(() => door(true, new Map()).authenticate(new Headers(ADMITTED[0]![0])), {
    code: "invalid_api_key",
  });
});

test("a key is good for its scopes; without a key everything is open", () => {
  const admit = (key: string) => door(false).authenticate(new Headers({ "x-api-key": key }));
  requireScope(admit("alice-key"), "inference");
  requireScope(admit("ops-key"), "explain");
  requireScope(admit("unknown"), "inference");
  assert.throws(() => requireScope(admit("alice-key"), "explain"), { code: "forbidden", status: 403 });
});
