import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EchoBackend } from "../support/echo_backend.ts";
import { commandLine, Program, RelayProgram, runProgram } from "../support/program.ts";
import { lacks } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** What `signalbox worker` shows of itself: on a terminal of its own, which Python makes, and in a pipe. */

const PTY = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";

let relay: RelayProgram;
let backend: EchoBackend;

before(async () => {
  relay = await RelayProgram.start();
  backend = await EchoBackend.start();
});

after(async () => {
  await relay?.[Symbol.asyncDispose]();
  await backend?.[Symbol.asyncDispose]();
});

function workerFlags(...flags: string[]): string[] {
  return ["worker", "--proxy-url", relay.url, "--backend-url", backend.url, "--models", "m", ...flags];
}

/** At a terminal, where both outputs are one. */
function atTerminal(flags: string[], env: Record<string, string> = {}): Program {
  const args = ["-c", PTY, ...commandLine(), ...flags];
  return new Program(args, { executable: "python3", typing: true, env: { TERM: "xterm", ...env } });
}

/** What stands on the screen: each line as it was last written. */
function screen(text: string): string[] {
  return text.split("\r\n").map((line) => line.split("\r\x1b[K").at(-1)!);
}

async function streamOf(events: number): Promise<void> {
  backend.on("/v1/chat/completions", async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let i = 0; i < events; i++) response.write(`data: {"n":${i}}\n\n`);
    response.end();
  });
  const answer = await fetch(`${relay.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "m", stream: true }),
  });
  assert.equal((await answer.text()).split("data:").length, events + 1);
}

const skip = lacks("python3");

test("on a terminal the last line tells link, requests and tokens, and log lines stand above it", {
  skip,
}, async () => {
  await using worker = atTerminal(workerFlags("--max-concurrency", "2"));
  await worker.says(/connected · 0 of 2 in flight · 0 requests · 0 tokens\/s/);
  await streamOf(300);
  await worker.says(/connected · 0 of 2 in flight · 1 request · [1-9]\d* tokens\/s/);
  const lines = screen(worker.stdout);
  assert.ok(lines.includes(`signalbox: serving ${backend.url}`));
  assert.ok(lines.includes(`signalbox: connected to ${relay.url}`));
  assert.match(
    lines.find((line) => line.includes("Registered"))!,
    /^\d{4}-\S+ INFO {2}Registered .*models=\["m"\]$/,
  );
  assert.match(lines.at(-1)!, /^connected · /);
  worker.child.stdin!.write("\x03");
  assert.equal(await worker.exited, 0);
  assert.deepEqual(
    screen(worker.stdout).filter((line) => line.includes(" · ")),
    [],
  );
});

test("it says what it waits for: a relay that is away, and when it tries again", { skip }, async () => {
  await using worker = atTerminal([
    ...["worker", "--proxy-url", "http://127.0.0.1:9", "--backend-url", backend.url, "--models", "m"],
  ]);
  await worker.says(/waiting for the relay, next try in \d+ s · 0 of 1 in flight/);
});

test("it is written four times a second at most", { skip }, async () => {
  await using worker = atTerminal(workerFlags());
  await worker.says(/connected · /);
  const writes = () => worker.stdout.split("\r\x1b[K").length;
  const [started, earlier] = [performance.now(), writes()];
  let asked = 0;
  await until(
    () => {
      if (asked++ % 5 === 0) streamOf(20).catch(() => {});
      return performance.now() - started > 1500;
    },
    "a second and a half",
    5000,
  );
  const logged = (worker.stdout.match(/ INFO /g) ?? []).length;
  assert.ok(writes() - earlier - logged <= 7, `${writes() - earlier} writes`);
});

for (const [name, flags, env] of [
  ["--no-status", ["--no-status"], {}],
  ["CI", [], { CI: "1" }],
  ["a terminal that cannot rewrite", [], { TERM: "dumb" }],
] as const) {
  test(`without a status line: ${name}`, { skip }, async () => {
    await using worker = atTerminal(workerFlags(...flags), env);
    await worker.says(/Registered/);
    worker.child.stdin!.write("\x03");
    assert.equal(await worker.exited, 0);
    assert.doesNotMatch(worker.stdout, /\x1b|in flight/);
  });
}

test("in a pipe a worker greets with plain lines, and is quiet", async () => {
  await using worker = new Program(workerFlags("--log-level", "warn", "--endpoint-prefixes", "/v1"));
  await worker.says(/connected to/);
  worker.signal("SIGTERM");
  assert.equal(await worker.exited, 0);
  assert.equal(
    worker.stdout,
    [
      `signalbox: serving ${backend.url}`,
      "  models    m",
      "  prefixes  /v1",
      "  provider  local, 1 at a time",
      `  relay     ${relay.url}`,
      "  secret    none",
      "  more      signalbox doctor worker; signalbox worker --help",
      `signalbox: connected to ${relay.url}`,
      "",
    ].join("\n"),
  );
  assert.equal(worker.stderr, "");
});

test("a relay greets with who comes in, address first", async () => {
  await using open = await RelayProgram.start(["--admin-token", "a token of the test"]);
  assert.equal(
    open.stdout,
    [
      `signalbox: listening on ${open.url}`,
      "  clients    need no API key, on this machine",
      "  workers    need no secret, on this machine",
      "  tls        off",
      "  admin      open to the admin token",
      `  dashboard  ${open.url}/dashboard`,
      "  more       signalbox doctor serve; signalbox serve --help",
      "",
    ].join("\n"),
  );
  const { exitCode } = await runProgram(["doctor", "serve", "--listen", "127.0.0.1:0"]);
  assert.equal(exitCode, 0);
});
