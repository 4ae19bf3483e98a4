import assert from "node:assert/strict";
import { test } from "node:test";
import { EchoBackend } from "../support/echo_backend.ts";
import { cannotOn, Program } from "../support/program.ts";
import { DENO } from "../support/runtimes.ts";

/** What docs/runtimes.md says that Signalbox has to be permitted on Deno, and what it says without. */

const skip = cannotOn("bun", "it is about Deno's permissions");
const MAY = ["run", "--no-check", "--no-prompt", "--allow-net", "--allow-env"];
const onDeno = (...words: string[]) => new Program([...MAY, "main.ts", ...words], { executable: DENO });

test("relay and worker need the network and the environment, and nothing else", { skip }, async () => {
  await using backend = await EchoBackend.start();
  await using relay = onDeno("serve", "--listen", "127.0.0.1:0");
  const url = (await relay.says(/listening on (http:\S+)/))[1]!;
  await using worker = onDeno("worker", "--proxy-url", url, "--backend-url", backend.url, "--models", "m");
  await worker.says(/Registered/);
  const response = await fetch(`${url}/echo`, { method: "POST", body: "hello" });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /"target":"\/echo"/);
});

test("a relay that may call the C library and not see its descriptors listens all the same", {
  skip,
}, async () => {
  const words = [...MAY, "--allow-ffi", "main.ts", "serve", "--listen", "127.0.0.1:0"];
  await using relay = new Program(words, { executable: DENO });
  await relay.says(/listening on (http:\S+)/);
});

test("a file that may not be read is told with the flag that permits it", { skip }, async () => {
  await using program = onDeno("route-test", "--scenario", "tests/routing/scenarios");
  assert.equal(await program.exited, 2);
  assert.match(program.stderr, /^signalbox: error: Cannot read \S+: .*--allow-read flag/);
});
