import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { noCurl } from "../support/curl.ts";
import { Program } from "../support/program.ts";

/** What somebody sees who has just typed `npm start`. */

const LIMIT = { timeout: 30_000 };
const shell = promisify(execFile);

async function startDemo(...flags: string[]) {
  const program = new Program(["demo", ...flags]);
  const url = (await program.says(/listening on (http:\/\/127\.0\.0\.1:\d+)\n/))[1]!;
  await program.says(/Ctrl-C/);
  return { program, url };
}

test(
  "it prints the address, a curl line and a first answer, and keeps serving until SIGINT",
  LIMIT,
  async () => {
    const { program, url } = await startDemo("--listen", "127.0.0.1:0");
    await using _ = program;
    assert.match(program.stdout, /demo backend of Signalbox, no language model.*"Hello".*word by word\.\n/);
    const health = (await (await fetch(`${url}/health`)).json()) as object;
    assert.deepEqual(health, { status: "ok", workers_connected: 1 });
    assert.equal(program.child.exitCode, null);
    program.signal("SIGINT");
    assert.equal(await program.exited, 0);
    assert.equal(program.stderr, "");
  },
);

test("the printed curl line works as it is", { ...LIMIT, skip: noCurl() }, async () => {
  const { program } = await startDemo("--listen", "127.0.0.1:0");
  await using _ = program;
  const line = /^ {2}(curl .*)$/m.exec(program.stdout)![1]!;
  const { stdout } = await shell("sh", ["-c", line.replace("curl", "curl -sSf")]);
  const events = stdout.trimEnd().split("\n\n");
  assert.equal(events.pop(), "data: [DONE]");
  const chunks = events.map((event) => JSON.parse(event.slice("data: ".length)));
  const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
  assert.match(text, /^This is the demo backend .* word by word\.$/);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("an answer that runs is finished after SIGINT, word for word", LIMIT, async () => {
  const { program, url } = await startDemo("--listen", "127.0.0.1:0");
  await using _ = program;
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({ model: "demo", stream: true, messages: [{ role: "user", content: "Bye" }] }),
    headers: { "content-type": "application/json" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  assert.doesNotMatch(text, /word by/, "it comes word by word");
  program.signal("SIGINT");
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
  assert.match(text, /"Bye/);
  assert.match(text, /"type":"message_stop"/);
  assert.equal(await program.exited, 0);
});

test("both dialects and the model list are there", LIMIT, async () => {
  const { program, url } = await startDemo("--listen", "127.0.0.1:0");
  await using _ = program;
  const models = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ["demo"],
  );
  const ask = async (path: string, body: object) =>
    (await (
      await fetch(url + path, {
        method: "POST",
        body: JSON.stringify({ model: "demo", ...body }),
        headers: { "content-type": "application/json" },
      })
    ).json()) as never;
  const messages = [{ role: "user", content: "Two words" }];
  const openai: { choices: { message: { content: string } }[] } = await ask("/v1/chat/completions", {
    messages,
  });
  assert.match(openai.choices[0]!.message.content, /"Two words"/);
  const anthropic: { content: { text: string }[] } = await ask("/v1/messages", { messages });
  assert.equal(anthropic.content[0]!.text, openai.choices[0]!.message.content);
  const wrong: { type: string; error: { type: string } } = await ask("/v1/messages", {});
  assert.deepEqual([wrong.type, wrong.error.type], ["error", "invalid_request_error"]);
});

test("a default port that is taken is no reason to fail, one that was asked for is", LIMIT, async () => {
  const first = await startDemo();
  await using _first = first.program;
  const second = await startDemo();
  await using _second = second.program;
  assert.notEqual(second.url, first.url);
  await using third = new Program(["demo", "--listen", new URL(first.url).host]);
  assert.equal(await third.exited, 2);
  assert.match(third.stderr, /it is in use/);
});

test("it does not listen where others reach it", LIMIT, async () => {
  await using program = new Program(["demo", "--listen", "0.0.0.0:0"]);
  assert.equal(await program.exited, 2);
  assert.match(program.stderr, /Cannot use --listen.*0\.0\.0\.0/);
});
