import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RelayStage } from "../support/modelrelay/relay_stage.ts";

/** What ModelRelay's clients and operators read of the relay itself. Numbers: ModelRelay's contracts. */

let stage: RelayStage;
before(async () => {
  stage = await RelayStage.start();
});
after(async () => await stage?.[Symbol.asyncDispose]());

/** Wait until these are the models, in this order. */
async function listed(expected: string[]): Promise<void> {
  let found: string[] = [];
  for (let looks = 0; looks < 200 && found.join() !== expected.join(); looks++) {
    const { body } = await stage.ask({ method: "GET", path: "/v1/models" }).whole();
    found = (JSON.parse(body) as { data: { id: string }[] }).data.map(({ id }) => id);
  }
  assert.deepEqual(found, expected);
}

test("52 models_endpoint_returns_openai_compatible_catalog_shape_for_advertised_models, over the wire", async () => {
  const { socket } = await stage.hand({ models: ["shape", "*", "shape"] });
  const { status, headers, body } = await stage.ask({ method: "GET", path: "/v1/models" }).whole();
  assert.deepEqual([status, headers["content-type"]?.split(";")[0]], [200, "application/json"]);
  const { object, data } = JSON.parse(body);
  const [{ created, providers, ...model }] = data;
  assert.deepEqual([object, data.length], ["list", 1]);
  assert.deepEqual(model, { id: "shape", object: "model", owned_by: "worker-proxy" });
  assert.ok(Number.isInteger(created));
  assert.deepEqual(providers, [{ name: "local" }]);
  socket.socket.drop();
  await listed([]);
});

test("53 models_endpoint_tracks_live_worker_model_updates_without_stale_entries, over the wire", async () => {
  const { socket } = await stage.hand({ models: ["a", "b"] });
  const other = await stage.hand({ models: ["c"] });
  await listed(["a", "b", "c"]);
  socket.send({ type: "models_update", models: ["b", "d"], current_load: 0 });
  await listed(["b", "d", "c"]);
  other.socket.socket.drop();
  await listed(["b", "d"]);
});

test("57 to 64: keys are no business of HTTP here, the paths of ModelRelay's key API are kept and empty", async () => {
  for (const [method, path] of [
    ["GET", "/admin/keys"],
    ["POST", "/admin/keys"],
    ["DELETE", "/admin/keys/1"],
  ] as const) {
    const body = method === "POST" ? '{"name":"my-key"}' : undefined;
    const { status, body: text } = await stage.ask({ method, path, ...(body && { body }) }).whole();
    assert.deepEqual([status, JSON.parse(text).error.code], [404, "not_found"], method);
  }
});
