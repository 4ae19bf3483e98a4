import assert from "node:assert/strict";
import { test } from "node:test";
import { lineWriter } from "../../shared/line_writer.ts";
import { type LogOptions, log, type RequestLine, requestLog, startLog } from "../../shared/log.ts";

const LINE: RequestLine = {
  method: "POST",
  path: "/v1/chat/completions",
  status: 200,
  model: "llama3",
  provider: "home",
  worker: "gpu-2",
  bytesIn: 120,
  bytesOut: 4096,
  waitedMs: 0.4,
  firstByteMs: 35.2,
  totalMs: 512.6,
  attempts: 1,
  requestId: "req-1",
};

/** What is written while `act` logs. */
async function written(options: Partial<LogOptions>, act: () => void): Promise<string> {
  let text = "";
  const flushed = startLog({
    level: "info",
    format: "text",
    timeMs: () => 0,
    write: (lines, done) => {
      text += lines;
      done();
    },
    ...options,
  });
  act();
  await flushed();
  return text;
}

const withoutTime = (text: string) => text.replace(/^\S+ /gm, "");

test("a request is one line with what there is to know", async () => {
  assert.equal(
    await written({}, () => requestLog()?.(LINE)),
    "1970-01-01T00:00:00.000Z INFO  request method=POST path=/v1/chat/completions status=200 model=llama3 provider=home " +
      "worker=gpu-2 bytes_in=120 bytes_out=4096 waited_ms=0 first_byte_ms=35 total_ms=513 attempts=1 request_id=req-1\n",
  );
  const failed = {
    ...LINE,
    status: 404,
    model: undefined,
    firstByteMs: undefined,
    failure: "model_not_found",
  };
  const json = JSON.parse(await written({ format: "json" }, () => requestLog()?.(failed)));
  assert.equal(json.time, "1970-01-01T00:00:00.000Z");
  assert.deepEqual(
    [json.level, json.message, json.status, json.failure],
    ["info", "request", 404, "model_not_found"],
  );
  assert.equal("model" in json, false);
});

test("above info nothing is written for requests, and nobody needs to gather it", async () => {
  for (const level of ["warn", "error", "off"] as const) {
    await written({ level }, () => assert.equal(requestLog(), undefined));
  }
});

test("the level decides, off is silence", async () => {
  const act = () => {
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
  };
  assert.equal(withoutTime(await written({ level: "debug" }, act)), "DEBUG d\nINFO  i\nWARN  w\nERROR e\n");
  assert.equal(withoutTime(await written({ level: "warn" }, act)), "WARN  w\nERROR e\n");
  assert.equal(await written({ level: "off" }, act), "");
});

test("a child's messages say whose they are", async () => {
  const text = await written({}, () => log.getChild("hub").info("Worker connected", { worker: "a b" }));
  assert.equal(withoutTime(text), 'INFO  hub: Worker connected worker="a b"\n');
});

/** Texts that a client may send as a path or a model. */
const HOSTILE = [
  "a\n1970-01-01T00:00:00.000Z INFO  forged",
  "a\r\nb",
  "\u001b[2J\u001b]0;title\u0007",
  "\u009b31m",
  "a\u2028b\u2029c",
  "\u202egnp.exe",
  'a" status=500 b="',
  "\u0000\u007f",
];

const QUOTED = /"(\\.|[^"\\])*"/g;

test("whatever a client wrote stays within its field", async () => {
  assert.ok(HOSTILE.length > 0);
  for (const hostile of HOSTILE) {
    for (const format of ["text", "json"] as const) {
      const text = await written({ format }, () => {
        requestLog()?.({ ...LINE, path: hostile, model: hostile });
        log.info("x", { hostile });
      });
      assert.equal(text.split("\n").length, 3, JSON.stringify(text));
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]/);
      if (format === "json") assert.equal(JSON.parse(text.split("\n")[1]!).hostile, hostile);
      else assert.equal(text.replace(QUOTED, "").match(/ status=/g)?.length, 1, text);
    }
  }
});

test("secrets are cut out by the name of their field and by what they are", async () => {
  const secrets = ['hunter"22\\', "hunter2222", "abc"];
  for (const format of ["text", "json"] as const) {
    const text = await written({ format, secrets }, () => {
      log.info("x", { worker_secret: "one", apiKey: "two", authorization: "three", adminToken: "four" });
      log.info("y", {
        path: `/x/${secrets[0]}`,
        url: "http://a/?k=hunter2222",
        error: new Error(secrets[0]),
      });
      requestLog()?.({ ...LINE, path: "/hunter2222/abc" });
    });
    assert.doesNotMatch(text, /\b(one|two|three|four)\b|hunter/);
    // Too short to be cut out of every line.
    assert.match(text, /\/\[redacted\]\/abc/);
  }
});

test("an error is shown with its causes, and what cannot be printed does no harm", async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  class DialError extends Error {
    override readonly name = "DialError";
  }
  const error = new DialError("no route", { cause: new DialError("timed out") });
  const text = await written({}, () => log.error("x", { error, cyclic, big: 10n, list: [1, "a"] }));
  assert.equal(
    withoutTime(text),
    'ERROR x error="DialError: no route; caused by DialError: timed out" cyclic="[unprintable]" big="[unprintable]" list=[1,"a"]\n',
  );
  const unexpected = await written({}, () => log.error("x", { error: new TypeError("oops") }));
  assert.match(unexpected, /TypeError: oops\\n.*log\.test\.ts/);
});

test("a field called like a part of the line does not replace it", async () => {
  const json = JSON.parse(
    await written({ format: "json" }, () => log.info("x", { level: "none", message: "m" })),
  );
  assert.deepEqual([json.level, json.level_, json.message, json.message_], ["info", "none", "x", "m"]);
});

test("a log that nobody reads costs lines, not memory or time", async () => {
  const texts: string[] = [];
  let release = () => {};
  const writer = lineWriter({
    dropped: (count) => `dropped ${count}\n`,
    write: (text, done) => {
      texts.push(text);
      release = done;
    },
  });
  writer.write("first\n");
  const first = writer.flushed();
  assert.deepEqual(texts, ["first\n"]);
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 1030; i++) writer.write(line);
  assert.equal(texts.length, 1);
  release();
  assert.equal(texts[1]?.length, 2 ** 20 + "dropped 6\n".length);
  assert.ok(texts[1]?.endsWith("dropped 6\n"));
  release();
  await first;
  writer.write("last\n");
  const last = writer.flushed();
  release();
  await last;
  assert.equal(texts[2], "last\n");
});

test("lines of one turn are written together", async () => {
  const texts: string[] = [];
  const writer = lineWriter({
    dropped: String,
    write: (text, done) => {
      texts.push(text);
      done();
    },
  });
  writer.write("a\n");
  writer.write("b\n");
  await writer.flushed();
  assert.deepEqual(texts, ["a\nb\n"]);
});
