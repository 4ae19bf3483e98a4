import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import { systemClock } from "../../../shared/clock.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { lookAt } from "../../../worker/local_backends/look.ts";
import { LlamaBackend, noLlama } from "../../support/llama_backend.ts";
import {
  EMPTY_OLLAMA,
  LLAMA_CPP,
  LM_STUDIO,
  LOADING_LLAMA_CPP,
  LOCAL_AI,
  LOCKED_VLLM,
  ModelServer,
  type ModelServerKind,
  OLLAMA,
  OPEN_WEBUI,
  RELAY,
  VLLM,
} from "../../support/model_servers.ts";

const look = (...ports: number[]) => lookAt(ports, { clock: systemClock, runtime });

async function lookAtOne(server: ModelServerKind) {
  await using running = await ModelServer.start(server);
  const [seen] = await look(running.port);
  const { url, ...rest } = seen!;
  assert.equal(url, running.url);
  return { ...rest, asked: running.asked };
}

const BACKENDS: readonly [
  name: string,
  server: ModelServerKind,
  kind: string,
  models: string[] | undefined,
][] = [
  ["Ollama", OLLAMA, "Ollama", ["llama3.2:latest", "qwen3:4b"]],
  ["Ollama without models", EMPTY_OLLAMA, "Ollama", []],
  ["llama.cpp", LLAMA_CPP, "llama.cpp", ["tiny.gguf"]],
  ["vLLM", VLLM, "vLLM", ["Qwen/Qwen3-8B"]],
  ["vLLM that asks for a key", LOCKED_VLLM, "vLLM", undefined],
  ["LM Studio", LM_STUDIO, "LM Studio", ["gemma-3-4b"]],
  ["a server that has a version as vLLM has", LOCAL_AI, "OpenAI-compatible", ["phi"]],
];

for (const [name, server, kind, models] of BACKENDS) {
  test(`${name} is known by what it answers`, async () => {
    const { asked: _, ...seen } = await lookAtOne(server);
    assert.deepEqual(seen, { what: "backend", kind, models });
  });
}

test("a server without a list of models is something else", async () => {
  assert.equal((await lookAtOne(OPEN_WEBUI)).what, "other");
  assert.equal((await lookAtOne({ routes: {}, otherwise: { status: 401, body: "" } })).what, "other");
});

test("llama.cpp that still reads its model is no backend yet", async () => {
  assert.equal((await lookAtOne(LOADING_LLAMA_CPP)).what, "other");
});

test("a relay is known by its health and asked nothing else, as it would ask its workers", async () => {
  const { what, asked } = await lookAtOne(RELAY);
  assert.deepEqual([what, asked], ["relay", ["/health"]]);
});

test("ports are looked at together, one that is silent costs the others nothing", {
  timeout: 5000,
}, async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  await using ollama = await ModelServer.start(OLLAMA);
  await using vllm = await ModelServer.start(VLLM);
  const free = await freePort();
  const seen = await look(port, ollama.port, free, vllm.port);
  assert.deepEqual(
    seen.map(({ what }) => what),
    ["nobody", "backend", "nobody", "backend"],
  );
  silent.close();
});

async function freePort(): Promise<number> {
  const server = await ModelServer.start(OLLAMA);
  const { port } = server;
  await server[Symbol.asyncDispose]();
  return port;
}

test("the real llama.cpp is known", { skip: noLlama(), timeout: 30_000 }, async () => {
  await using llama = await LlamaBackend.start();
  const [seen] = await look(Number(new URL(llama.url).port));
  assert.deepEqual(seen, {
    what: "backend",
    url: llama.url,
    kind: "llama.cpp",
    models: [await llama.model()],
  });
});
