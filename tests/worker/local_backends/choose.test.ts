import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../../shared/clock.ts";
import { CommandError } from "../../../shared/command_line/command_error.ts";
import { startLog } from "../../../shared/log.ts";
import { runtime } from "../../../shared/runtime/current.ts";
import { type ChooseOptions, chooseBackend } from "../../../worker/local_backends/choose.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { LLAMA_CPP, ModelServer, OLLAMA, OPEN_WEBUI, VLLM } from "../../support/model_servers.ts";
import { until } from "../../support/until.ts";

let said = "";
let ended: () => Promise<void>;

beforeEach(() => {
  said = "";
  ended = startLog({
    level: "info",
    format: "text",
    write(text, done) {
      said += text;
      done();
    },
  });
});

afterEach(() => ended());

const NEVER = new Promise<never>(() => {});

function choose(ports: readonly number[], options: Partial<ChooseOptions> = {}): Promise<string | undefined> {
  return chooseBackend({
    ports: ports.map((port) => ({ port, server: "Ollama" })),
    clock: systemClock,
    runtime,
    io: {},
    stop: NEVER,
    ...options,
  });
}

/** Somebody who gives these answers, then none. */
function person(...answers: string[]) {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return answers.shift();
  };
  return { questions, io: { ask } };
}

test("the only one is taken, and said", async () => {
  await using ollama = await ModelServer.start(OLLAMA);
  assert.equal(await choose([ollama.port]), ollama.url);
  await ended();
  assert.match(said, /INFO {2}Found a backend kind=Ollama backend=\S+ models="?\[.*llama3\.2:latest/);
});

test("while there is none it looks again every five seconds, and says so once", async () => {
  const first = await ModelServer.start(OLLAMA);
  const { port, url } = first;
  await first[Symbol.asyncDispose]();
  const clock = new FakeClock();
  const chosen = choose([port], { clock });
  await until(() => /No backend found/.test(said), "the worker says that it found none");
  assert.match(said, new RegExp(`looking again.*--backend-url.*ports="${port} \\(Ollama\\)"`));
  const oneLine = said;
  await until(() => clock.pending === 1, "only the next look is to come");
  clock.advance(5000);
  await until(() => clock.pending === 1, "the next look after that is to come");
  assert.equal(said, oneLine);
  await using _ = await ModelServer.start(OLLAMA, port);
  clock.advance(5000);
  assert.equal(await chosen, url);
});

test("what is no backend is named, for who wants it all the same", async () => {
  await using page = await ModelServer.start(OPEN_WEBUI);
  const stop = Promise.withResolvers<void>();
  const chosen = choose([page.port], { stop: stop.promise });
  await until(() => /lists no models: --backend-url/.test(said), "the worker names what it found");
  assert.match(said, new RegExp(`url=${page.url}`));
  stop.resolve();
  assert.equal(await chosen, undefined);
});

test("of several nobody is taken unasked", async () => {
  await using ollama = await ModelServer.start(OLLAMA);
  await using vllm = await ModelServer.start(VLLM);
  const several = (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.equal(
      error.message,
      "Cannot choose a backend: wanted one on the usual ports, found 2: " +
        `Ollama at ${ollama.url} with llama3.2:latest, qwen3:4b; vLLM at ${vllm.url} with Qwen/Qwen3-8B`,
    );
    assert.equal(
      error.hint,
      `name one: --backend-url ${ollama.url}, or BACKEND_URL in the environment, or backend_url in a --config file`,
    );
    return true;
  };
  const ports = [ollama.port, vllm.port];
  await assert.rejects(choose(ports), several);
  await assert.rejects(choose(ports, { io: person("no idea").io }), several);
});

test("who is asked may choose by number, and is asked again for anything else", async () => {
  await using ollama = await ModelServer.start(OLLAMA);
  await using llama = await ModelServer.start(LLAMA_CPP);
  const { questions, io } = person("", "3", "0", "llama.cpp", " 2 ");
  assert.equal(await choose([ollama.port, llama.port], { io }), llama.url);
  assert.equal(questions.length, 5);
  assert.equal(
    questions[0],
    "Several backends answer on this machine:\n" +
      `  1  Ollama at ${ollama.url} with llama3.2:latest, qwen3:4b\n` +
      `  2  llama.cpp at ${llama.url} with tiny.gguf\n` +
      "Which one is to be served, 1 to 2? ",
  );
  assert.equal(questions[4], "Which one is to be served, 1 to 2? ");
});

test("a signal to stop ends the question", async () => {
  await using ollama = await ModelServer.start(OLLAMA);
  await using vllm = await ModelServer.start(VLLM);
  const stop = Promise.withResolvers<void>();
  const ask = () => {
    stop.resolve();
    return NEVER;
  };
  assert.equal(await choose([ollama.port, vllm.port], { stop: stop.promise, io: { ask } }), undefined);
});
