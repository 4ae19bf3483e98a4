import assert from "node:assert/strict";
import { test } from "node:test";
import { modelById, modelList } from "../../server/catalogue.ts";
import { Fleet } from "../../server/fleet.ts";
import type { LiveWorkerIndex } from "../../server/routing/worker_index.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { fleetOf, type WorkerFacts } from "./routing/fleet_builder.ts";

const CREATED_S = 1_750_000_000;

const lists: { name: string; fleet: WorkerFacts[]; absent?: WorkerFacts[]; ids: string[] }[] = [
  { name: "is empty for an empty fleet", fleet: [], ids: [] },
  {
    name: "lists each model once, as workers joined",
    fleet: [{ models: ["b", "a"] }, { models: ["a", "c"] }],
    ids: ["b", "a", "c"],
  },
  { name: "hides the star", fleet: [{ models: ["*", "a"] }], ids: ["a"] },
  {
    name: "keeps what a draining or unhealthy worker serves",
    fleet: [
      { models: ["a"], draining: true },
      { models: ["b"], healthy: false },
    ],
    ids: ["a", "b"],
  },
  { name: "forgets what a worker that left served", fleet: [], absent: [{ models: ["a"] }], ids: [] },
];

for (const { name, fleet, absent, ids } of lists) {
  test(`modelList() ${name}`, () => {
    const { object, data } = modelList(fleetOf(fleet, absent), CREATED_S);
    assert.equal(object, "list");
    assert.deepEqual(
      data.map(({ id }) => id),
      ids,
    );
  });
}

test("52 models_endpoint_returns_openai_compatible_catalog_shape_for_advertised_models: `created` and `providers` besides", () => {
  const list = modelList(fleetOf([{ models: ["m"] }, { models: ["m"] }]), CREATED_S);
  assert.deepEqual(JSON.parse(JSON.stringify(list)), {
    object: "list",
    data: [
      {
        id: "m",
        object: "model",
        owned_by: "worker-proxy",
        created: CREATED_S,
        providers: [{ name: "local" }],
      },
    ],
  });
});

test("53 models_endpoint_tracks_live_worker_model_updates_without_stale_entries", () => {
  const fleet = new Fleet<undefined>({ clock: new FakeClock() });
  const facts = {
    name: "",
    provider: "",
    endpointPrefixes: [],
    maxConcurrent: 1,
    linkForm: "plain",
  } as const;
  const first = fleet.join({ ...facts, models: ["a", "b"], capabilities: new Set(), link: undefined });
  const second = fleet.join({ ...facts, models: ["c"], capabilities: new Set(), link: undefined });
  const ids = () => modelList(fleet.snapshot(), CREATED_S).data.map(({ id }) => id);
  fleet.updateModels(first, ["b", "d"]);
  fleet.setDraining(first);
  assert.deepEqual(ids(), ["b", "d", "c"]);
  fleet.leave(second);
  assert.deepEqual(ids(), ["b", "d"]);
});

const providers: { name: string; fleet: WorkerFacts[]; found: unknown }[] = [
  {
    name: "each once, as its first worker joined",
    fleet: [{ provider: "b" }, { provider: "a/4090" }, { provider: "b" }, { provider: "a" }],
    found: [{ name: "b" }, { name: "a/4090" }, { name: "a" }],
  },
  {
    name: "who names the model, not who would take any",
    fleet: [{ provider: "b", models: ["*"] }, { provider: "c", models: ["x"] }, { provider: "a" }],
    found: [{ name: "a" }],
  },
  {
    name: "labels with the model's own before those for all",
    fleet: [
      {
        labels: {
          zdr: true,
          quantization: "fp16",
          models: { m: { quantization: "int4" }, x: { zdr: false, price: { prompt: 1 } } },
        },
      },
    ],
    found: [{ name: "local", labels: { quantization: "int4", zdr: true } }],
  },
  {
    name: "only labels in which all workers of a provider agree",
    fleet: [
      { labels: { zdr: true, data_collection: "deny", price: { prompt: 1 } } },
      { labels: { zdr: false, data_collection: "deny", price: { prompt: 1 } } },
      { labels: { zdr: true, data_collection: "deny", models: { m: { price: { prompt: 1 } } } } },
      { provider: "lab", labels: { zdr: true } },
      { provider: "lab" },
    ],
    found: [{ name: "local", labels: { data_collection: "deny", price: { prompt: 1 } } }, { name: "lab" }],
  },
];

for (const { name, fleet, found } of providers) {
  test(`modelList() and modelById() give a model's providers: ${name}`, () => {
    const snapshot = fleetOf(fleet);
    const listed = modelList(snapshot, CREATED_S).data.find(({ id }) => id === "m");
    assert.deepEqual(listed?.providers, found);
    assert.deepEqual(modelById(snapshot, "m", CREATED_S), listed);
  });
}

test("modelById() gives providers as they joined, also after one of them named the model later", () => {
  const fleet = fleetOf([{ provider: "first", models: ["x"] }, { provider: "second" }]);
  const [first] = fleet.present.workers;
  (fleet.present as LiveWorkerIndex).change(first!, () => {
    (first as { models: ReadonlySet<string> }).models = new Set(["m"]);
  });
  const names = modelById(fleet, "m", CREATED_S)?.providers.map(({ name }) => name);
  assert.deepEqual(names, ["first", "second"]);
});

const lookUps: { rest: string; id: string | undefined }[] = [
  { rest: "plain", id: "plain" },
  { rest: "meta/llama", id: "meta/llama" },
  { rest: "meta%2Fllama", id: "meta/llama" },
  { rest: "caf%C3%A9", id: "café" },
  { rest: "unknown", id: undefined },
  { rest: "", id: undefined },
  { rest: "*", id: undefined },
  { rest: "%2A", id: undefined },
  { rest: "%", id: undefined },
  { rest: "%ff", id: undefined },
];

for (const { rest, id } of lookUps) {
  test(`modelById() finds ${id} for ${JSON.stringify(rest)}`, () => {
    const fleet = fleetOf([{ models: ["plain", "meta/llama", "café", "*"] }]);
    assert.deepEqual(modelById(fleet, rest, CREATED_S)?.id, id);
  });
}
