import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { endRelay, startRelay, workersOf, workersWhen } from "../support/admin_view.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { FORMS, formFlag } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";

/** What workers declare of themselves, from their settings to what the operator and clients see. */

const LIMIT = { timeout: 20_000 };

const FILE = `
models = ["llama3", "qwen2.5"]
provider = "home/4090"
endpoint_prefixes = ["/v1"]

[labels]
zdr = true
quantization = "fp16"

[labels.price]
prompt = 0.1
completion = 0.2

[labels.models."qwen2.5"]
quantization = "q4_k_m"
`;

describe("labels", () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-labels-"));
  const config = join(folder, "worker.toml");
  let backend: EchoBackend;
  let relay: RelayProgram;

  before(async () => {
    writeFileSync(config, FILE);
    backend = await EchoBackend.start();
    relay = await startRelay();
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await endRelay(relay);
    await backend?.[Symbol.asyncDispose]();
  });

  /** The entry of a model, as OpenAI's client reads it: with what it does not know. */
  async function modelOf(id: string) {
    const client = new OpenAI({ apiKey: "none", baseURL: `${relay.url}/v1` });
    const listed = (await client.models.list()).data.find((model) => model.id === id);
    assert.deepEqual(await client.models.retrieve(id), listed);
    return listed as unknown as { object: string; providers: { name: string; labels?: object }[] };
  }

  for (const form of FORMS) {
    test(`from a file and from flags they come over a ${form} link`, LIMIT, async () => {
      const flags = ["--price-prompt=0.5", "--data-collection=deny", "--supported-parameters=tools,seed"];
      await using worker = await WorkerProgram.start(relay.url, backend.url, [
        `--config=${config}`,
        ...flags,
        formFlag(form),
      ]);
      const forAll = {
        zdr: true,
        data_collection: "deny",
        supported_parameters: ["tools", "seed"],
        price: { prompt: 0.5, completion: 0.2 },
      };
      const [report, ...more] = await workersOf(relay);
      assert.deepEqual([report?.link_form, report?.provider, more], [form, "home/4090", []]);
      assert.deepEqual(report?.labels, {
        ...forAll,
        quantization: "fp16",
        models: { "qwen2.5": { quantization: "q4_k_m" } },
      });
      const name = "home/4090";
      assert.deepEqual((await modelOf("llama3")).providers, [
        { name, labels: { ...forAll, quantization: "fp16" } },
      ]);
      assert.deepEqual((await modelOf("qwen2.5")).providers, [
        { name, labels: { ...forAll, quantization: "q4_k_m" } },
      ]);
      await worker.kill();
      await workersWhen(relay, (workers) => workers.length === 0);
    });
  }

  test("a worker without labels declares none, and its provider is listed", LIMIT, async () => {
    await using worker = await WorkerProgram.start(relay.url, backend.url, ["--models=bare"]);
    assert.deepEqual((await workersOf(relay))[0]?.labels, {});
    assert.deepEqual((await modelOf("bare")).providers, [{ name: "local" }]);
    await worker.kill();
    await workersWhen(relay, (workers) => workers.length === 0);
  });

  test("labels for a model that is not served are warned of", LIMIT, async () => {
    const flags = ["--models=llama3", '--labels={"models":{"lama3":{"zdr":true}}}'];
    await using worker = await WorkerProgram.start(relay.url, backend.url, flags);
    await worker.says(/WARN.*Labels are declared for a model that is not served.*lama3/);
    await worker.kill();
    await workersWhen(relay, (workers) => workers.length === 0);
  });

  for (const form of FORMS) {
    test(`a foreign worker's wrong labels cost it these, not its place (${form})`, LIMIT, async () => {
      const labels = { zdr: "yes", data_collection: "deny", colour: "red", models: { m: { price: 3 } } };
      await using worker = await ScriptedWorker.connect(relay.url, {
        form,
        register: { labels, provider_variant: "3090" },
      });
      assert.deepEqual(worker.ack.warnings?.toSorted(), [
        "label colour was dropped: it is unknown: there are quantization, data_collection, zdr, distillable_text, supported_parameters, price, models",
        "label models.m.price was dropped: it must be a table: found 3",
        'label zdr was dropped: it must be true or false: found "yes"',
      ]);
      const [report] = await workersOf(relay);
      assert.deepEqual(
        [report?.provider, report?.labels],
        ["local/3090", { data_collection: "deny", models: { m: {} } }],
      );
      assert.deepEqual((await modelOf("m")).providers, [
        { name: "local/3090", labels: { data_collection: "deny" } },
      ]);
      await worker.die();
      await workersWhen(relay, (workers) => workers.length === 0);
    });
  }
});
