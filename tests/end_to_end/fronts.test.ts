import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay, workersOf } from "../support/admin_view.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { endWithTests } from "../support/children.ts";
import { FRONTS, type Front } from "../support/front.ts";
import { cannotOverPlain, LINK_FORM } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { lacks } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** Client and worker reach the relay through a proxy that does TLS, as `deploy/` shows how to set it up. */

/** Another one than the proxy's own, on the same loopback. */
const CLIENT = "127.0.0.2";
const STREAM = ["-H", "Content-Type: application/json", "-d", '{"stream":true}'];
/** More than proxies keep in memory, and more than the relay reads before it sends. */
const LONG_BODY_BYTES = 3 << 20;

for (const [name, startFront] of Object.entries(FRONTS)) {
  const lacking = lacks(name, "curl") ?? (canMakeCertificates() ? undefined : "needs openssl");
  describe(name, { skip: lacking }, () => {
    let folder: ScratchFolder;
    let backend: RawBackend;
    let relay: RelayProgram | undefined;
    let front: Front;
    let worker: WorkerProgram | undefined;

    before(async () => {
      folder = new ScratchFolder();
      const { authorityPem, good } = makeCertificates();
      const authority = folder.write("authority.pem", authorityPem);
      backend = await RawBackend.start();
      relay = await startRelay(["--trusted-proxy", "127.0.0.1/32", "--worker-secret-file", secretFile()]);
      front = await startFront({ relayPort: relay.port, certificate: good });
      const flags = ["--ca-file", authority, "--models", "m", "--worker-secret-file", secretFile()];
      worker = await WorkerProgram.start(front.url, backend.url, flags);
    });

    after(async () => {
      await worker?.kill();
      await endRelay(relay);
      await front?.[Symbol.asyncDispose]();
      await backend?.[Symbol.asyncDispose]();
      folder?.[Symbol.dispose]();
    });

    const secretFile = () => folder.write("secret", "a secret of the tests\n");

    /** What curl prints of an answer, as it comes. */
    function ask(args: string[]) {
      const child = spawn("curl", [
        ...["-q", "-sS", "-N", "--noproxy", "*", "--max-time", "20", "--interface", CLIENT],
        ...["--cacert", folder.at("authority.pem"), "-H", "X-Model: m", ...args, `${front.url}/v1/x`],
      ]);
      endWithTests(child);
      const asked = { child, answer: "", exited: new Promise((resolve) => child.on("close", resolve)) };
      child.stdout.on("data", (text) => {
        asked.answer += text;
      });
      child.stdin.on("error", () => {});
      return asked;
    }

    test("a worker's link passes, in its own form", async () => {
      const [connected] = await workersOf(relay!);
      assert.deepEqual([connected?.worker_name, connected?.link_form], ["worker", LINK_FORM]);
    });

    test("a stream arrives event by event, and its backend knows the client's address", async () => {
      const asked = ask(["-H", "X-Forwarded-For: 192.0.2.1", ...STREAM]);
      const request = (await backend.next()).startStream();
      for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
        request.chunk(event);
        await until(() => asked.answer.endsWith(event), `${event} arrives before the next one is sent`);
      }
      request.lastChunk();
      assert.equal(await asked.exited, 0);
      const { headers } = request;
      assert.equal(headers.get("x-forwarded-for"), `${CLIENT}, 127.0.0.1`);
      assert.equal(headers.get("x-forwarded-proto"), "https");
      assert.equal(headers.get("x-forwarded-host"), `127.0.0.1:${front.port}`);
    });

    test("an upload reaches the backend while it is still sent", {
      skip: cannotOverPlain("wholeRequests"),
    }, async () => {
      const asked = ask(["-X", "POST", "-T", "-", "-H", "Content-Type: application/octet-stream"]);
      asked.child.stdin.write(Buffer.alloc(LONG_BODY_BYTES));
      const request = await backend.next();
      await until(() => request.body.length >= LONG_BODY_BYTES - 65_536, "what was sent arrives", 5000);
      assert.ok(!request.whole);
      asked.child.stdin.end("the end");
      await request.receivedWhole();
      request.reply(200, "taken");
      await asked.exited;
      assert.equal(asked.answer, "taken");
    });

    test("a client that leaves stops the work that was done for it", async () => {
      const asked = ask(STREAM);
      const request = (await backend.next()).startStream();
      request.chunk("data: 1\n\n");
      await until(() => asked.answer !== "", "the answer begins");
      asked.child.kill("SIGKILL");
      await request.isLeft();
    });
  });
}
