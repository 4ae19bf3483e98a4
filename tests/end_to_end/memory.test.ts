import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { describe, test } from "node:test";
import { EchoBackend, type Received } from "../support/echo_backend.ts";
import { cannotOverPlain } from "../support/link_form.ts";
import { Pair } from "../support/pair.ts";
import { cannotOn } from "../support/program.ts";

/** A body that passes leaves nothing behind, however long it is: `bench/bulk.ts` measures what this holds a bound to. */

const MIB = 1024 * 1024;
const PIECE = randomBytes(MIB);
const PIECES = 256;
/** A quarter of the body. 10 to 25 are usual, with what a process takes for its first request. */
const GROWTH_MAX_MIB = 64;

const skip =
  cannotOn("deno", "what Deno leaves to its collector is not bounded") ??
  cannotOverPlain("noCredit") ??
  (existsSync("/proc/self/status") ? undefined : "reads the memory of a process from /proc");

const residentMib = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** Runs `work` between a relay and a worker that are new; neither may grow by much meanwhile. */
async function staysSmall(backend: EchoBackend, work: (url: string) => Promise<void>): Promise<void> {
  await using pair = await Pair.start(backend.url);
  const pids = [pair.relay.pid, pair.worker.pid];
  const before = pids.map(residentMib);
  const most = [...before];
  const look = () => {
    for (const [at, pid] of pids.entries()) most[at] = Math.max(most[at]!, residentMib(pid));
  };
  const timer = setInterval(look, 20);
  try {
    await work(pair.url);
  } finally {
    clearInterval(timer);
  }
  look();
  const grown = most.map((mib, at) => Math.round(mib - before[at]!));
  assert.ok(Math.max(...grown) <= GROWTH_MAX_MIB, `relay and worker grew by ${grown.join(" and ")} MiB`);
}

describe(`${PIECES} MiB go through, and neither process keeps them`, { skip }, () => {
  test("down", async () => {
    await using backend = await EchoBackend.start();
    backend.on("/download", async (_, response) => {
      response.writeHead(200, { "content-length": PIECES * MIB });
      for (let n = 0; n < PIECES; n++) if (!response.write(PIECE)) await once(response, "drain");
      response.end();
    });
    await staysSmall(backend, async (url) => {
      const response = await fetch(`${url}/download`);
      const hash = createHash("sha256");
      for await (const chunk of response.body!) hash.update(chunk);
      assert.equal(hash.digest("hex"), digest());
    });
  });

  test("up", async () => {
    await using backend = await EchoBackend.start();
    await staysSmall(backend, async (url) => {
      const received = await uploaded(url);
      assert.deepEqual([received.length, received.sha256], [PIECES * MIB, digest()]);
    });
  });
});

async function uploaded(url: string): Promise<Received> {
  const sending = request(`${url}/upload`, {
    method: "POST",
    headers: { "content-length": PIECES * MIB, "content-type": "application/octet-stream" },
  });
  const answered = once(sending, "response");
  for (let n = 0; n < PIECES; n++) if (!sending.write(PIECE)) await once(sending, "drain");
  sending.end();
  const [response] = await answered;
  let text = "";
  for await (const chunk of response) text += chunk;
  return JSON.parse(text);
}

function digest(): string {
  const hash = createHash("sha256");
  for (let n = 0; n < PIECES; n++) hash.update(PIECE);
  return hash.digest("hex");
}
