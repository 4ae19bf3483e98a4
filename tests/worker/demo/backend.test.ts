import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { Listener } from "../../../shared/runtime/ports.ts";
import { startDemoBackend } from "../../../worker/demo/backend.ts";

/** Held against the vendors' own clients where they are installed, and against their documents where they are not. */

const ANSWER =
  /^This is a demo backend .* Your words "Two words" came .* the worker desk, .* word by word\.$/;
const messages = [{ role: "user" as const, content: "Two words" }];
const parts = [{ role: "user" as const, content: [{ type: "text" as const, text: "Two words" }] }];

describe("the demo backend", () => {
  let backend: Listener;
  let url: string;
  let openai: OpenAI;
  let anthropic: Anthropic;
  before(async () => {
    backend = await startDemoBackend("the worker desk");
    url = `http://127.0.0.1:${backend.port}`;
    openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
  });
  after(() => backend.stop(true));

  const post = (path: string, body: object) =>
    fetch(url + path, { method: "POST", body: JSON.stringify({ model: "demo", ...body }) });

  test("OpenAI's chat completions, whole and streamed", async () => {
    const request = { model: "demo", messages };
    const whole = await openai.chat.completions.create(request);
    assert.match(whole.choices[0]!.message.content!, ANSWER);
    assert.equal(whole.usage!.prompt_tokens, 2);
    const streamed = await openai.chat.completions.stream({ model: "demo", messages: parts }).finalMessage();
    assert.equal(streamed.content, whole.choices[0]!.message.content);
  });

  test("OpenAI's completions, whole and streamed", async () => {
    const request = { model: "demo", prompt: "Two words" };
    const whole = await openai.completions.create(request);
    assert.match(whole.choices[0]!.text, ANSWER);
    let text = "";
    let reason: string | null = null;
    for await (const { choices } of await openai.completions.create({ ...request, stream: true })) {
      text += choices[0]!.text;
      reason = choices[0]!.finish_reason;
    }
    assert.deepEqual([text, reason], [whole.choices[0]!.text, "stop"]);
  });

  test("OpenAI's responses, whole and streamed, of a text and of a conversation", async () => {
    const whole = await openai.responses.create({ model: "demo", input: "Two words" });
    assert.match(whole.output_text, ANSWER);
    const input = [
      { role: "user" as const, content: "One" },
      { role: "user" as const, content: [{ type: "input_text" as const, text: "Two words" }] },
    ];
    const stream = openai.responses.stream({ model: "demo", input });
    const deltas: string[] = [];
    stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
    const { output_text, status, usage } = await stream.finalResponse();
    assert.equal(output_text, whole.output_text);
    assert.equal(deltas.join(""), output_text);
    assert.deepEqual([status, usage!.output_tokens], ["completed", deltas.length]);
  });

  test("Anthropic's messages, whole and streamed", async () => {
    const request = { model: "demo", max_tokens: 100, messages };
    const whole = await anthropic.messages.create(request);
    assert.match(whole.content[0]!.type === "text" ? whole.content[0]!.text : "", ANSWER);
    const streamed = await anthropic.messages.stream({ ...request, messages: parts }).finalMessage();
    assert.deepEqual([streamed.content, streamed.stop_reason], [whole.content, "end_turn"]);
  });

  for (const [path, body, textOf] of [
    ["/api/chat", { messages }, (line: OllamaLine) => line.message?.content],
    ["/api/generate", { prompt: "Two words" }, (line: OllamaLine) => line.response],
  ] as const) {
    test(`Ollama's ${path}, whole, and streamed unless it is told otherwise`, async () => {
      const whole = (await (await post(path, { ...body, stream: false })).json()) as OllamaLine;
      assert.match(textOf(whole) ?? "", ANSWER);
      assert.deepEqual([whole.done, whole.prompt_eval_count], [true, 2]);
      const response = await post(path, body);
      assert.equal(response.headers.get("content-type"), "application/x-ndjson");
      const lines = (await response.text()).trimEnd().split("\n");
      const streamed = lines.map((line) => JSON.parse(line) as OllamaLine);
      assert.equal(streamed.map(textOf).join(""), textOf(whole));
      assert.deepEqual(
        streamed.filter(({ done }) => done),
        [streamed.at(-1)],
      );
    });
  }

  test("its model is listed as OpenAI and as Ollama list models", async () => {
    assert.equal((await openai.models.list()).data[0]!.id, "demo");
    const { models } = (await (await fetch(`${url}/api/tags`)).json()) as { models: { name: string }[] };
    assert.equal(models[0]!.name, "demo");
  });

  test("what it cannot answer is refused in the words of the API", async () => {
    await assert.rejects(openai.responses.create({ model: "demo" }), /400 Cannot answer: the body must be/);
    await assert.rejects(openai.completions.create({ model: "demo", prompt: null }), /400 Cannot answer/);
    await assert.rejects(
      anthropic.messages.create({ model: "demo", max_tokens: 1, messages: [] }),
      /400 .*invalid_request_error/,
    );
    const ollama = await post("/api/chat", {});
    assert.equal(ollama.status, 400);
    assert.match(((await ollama.json()) as { error: string }).error, /Cannot answer/);
    await assert.rejects(openai.embeddings.create({ model: "demo", input: "x" }), /404 .*no POST/);
  });
});

interface OllamaLine {
  message?: { content: string };
  response?: string;
  done: boolean;
  prompt_eval_count?: number;
}
