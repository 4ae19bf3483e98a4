import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { test } from "node:test";
import { ADMIN_TOKEN, startRelay } from "../support/admin_view.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { cookieIn, OWN_PAGE, signIn } from "../support/dashboard_session.ts";
import { RelayProgram } from "../support/program.ts";
import { ask } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { type ScriptedRequest, ScriptedWorker } from "../support/scripted_worker.ts";

/** Where the cookie of the dashboard goes and where not, how it is guarded, and what is counted for the page. */

const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

test("wrong tokens are limited: ten at once, in /admin too; sessions go on", async () => {
  await using relay = await startRelay();
  const session = cookieIn(await signIn(relay.port));
  for (let count = 0; count < 5; count++) {
    const response = await signIn(relay.port, { token: "wrong" });
    assert.deepEqual([response.status, failureCode(response)], [403, "admin_forbidden"]);
    assert.ok(!response.headers.has("set-cookie"));
    const wrong = { method: "GET", path: "/admin/stats", headers: { authorization: "Bearer wrong" } };
    assert.equal((await ask(relay.port, wrong)).status, 403);
  }
  const limited = await signIn(relay.port);
  assert.deepEqual([limited.status, failureCode(limited)], [429, "too_many_attempts"]);
  assert.match(limited.headers.get("retry-after")!, /^[1-6]$/);
  const stats = { method: "GET", path: "/admin/stats" };
  assert.equal((await ask(relay.port, { ...stats, headers: ADMIN })).status, 429);
  assert.equal((await ask(relay.port, { ...stats, headers: session })).status, 200);
});

for (const form of ["framed", "plain"] as const) {
  test(`no worker sees or sets the cookie (${form})`, async () => {
    await using relay = await startRelay();
    const setsCookies = (request: ScriptedRequest) =>
      request.answer(200, "{}", [
        ["set-cookie", "own=1"],
        // The last one: that is what `headers` has of several.
        ["set-cookie", "signalbox_session=taken; Path=/"],
      ]);
    await using worker = await ScriptedWorker.connect(relay.url, { form, serve: setsCookies });
    const { cookie } = cookieIn(await signIn(relay.port));
    const others = 'a=1;b=  2 ; c="x y"';
    const cookies = [`${others}; ${cookie}`, `${cookie}; ${others}`, cookie, others];
    for (const value of cookies) {
      const response = await ask(relay.port, { headers: { cookie: value }, body: { model: "m" } });
      assert.equal(response.status, 200);
      // On a plain link there is room for one such field.
      assert.equal(response.headers.get("set-cookie"), form === "framed" ? "own=1" : undefined);
    }
    const seen = worker.requests.map(({ head }) =>
      head.headers.filter(([name]) => name.toLowerCase() === "cookie"),
    );
    assert.deepEqual(
      seen.map((fields) => fields.map(([, value]) => value)),
      [[others], [others], [], [others]],
    );
  });
}

test("over TLS, or behind a proxy of ours that has it, the cookie is Secure", async () => {
  await using relay = await startRelay(["--trusted-proxy=127.0.0.1/32"]);
  for (const [proto, secure] of [
    ["https", true],
    ["http", false],
  ] as const) {
    const response = await signIn(relay.port, { headers: { ...OWN_PAGE, "x-forwarded-proto": proto } });
    assert.equal(/; Secure(;|$)/.test(response.headers.get("set-cookie")!), secure, proto);
  }
  await using other = await startRelay();
  const response = await signIn(other.port, { headers: { ...OWN_PAGE, "x-forwarded-proto": "https" } });
  assert.doesNotMatch(response.headers.get("set-cookie")!, /Secure/);
});

test("the relay's own TLS", { skip: canMakeCertificates() ? false : "needs openssl" }, async () => {
  const { authorityPem: ca, good } = makeCertificates();
  using folder = new ScratchFolder();
  const files = [folder.write("cert.pem", good.certPem), folder.write("key.pem", good.keyPem)];
  await using relay = await RelayProgram.start([`--tls-cert=${files[0]}`, `--tls-key=${files[1]}`], {
    env: { SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN },
  });
  const cookies = await new Promise<string[] | undefined>((resolve, reject) => {
    const { port } = relay;
    const body = `token=${ADMIN_TOKEN}`;
    const headers = {
      ...OWN_PAGE,
      "content-type": "application/x-www-form-urlencoded",
      "content-length": body.length,
    };
    const target = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca,
      path: "/dashboard/sign-in",
      headers,
    };
    httpsRequest({ ...target, method: "POST" }, (response) =>
      resolve(response.resume().headers["set-cookie"]),
    )
      .on("error", reject)
      .end(body);
  });
  assert.match(cookies?.[0] ?? "", /^signalbox_session=[\w-]{43}; .*HttpOnly; SameSite=Strict; Secure$/);
});

test("/admin tells what the page shows: what became of requests, how fast, how long connected", async () => {
  await using relay = await startRelay();
  const answers = (request: ScriptedRequest) =>
    request.answer(request.head.target === "/v1/busy" ? 429 : 200, "{}");
  await using _ = await ScriptedWorker.connect(relay.url, { serve: answers });
  const report = async (path: string) =>
    JSON.parse((await ask(relay.port, { method: "GET", path, headers: ADMIN })).body);
  assert.equal((await report("/admin/stats")).requests, undefined);
  for (const [path, model] of [
    ["/v1/chat/completions", "m"],
    ["/v1/embeddings", "m"],
    ["/v1/busy", "m"],
    ["/v1/chat/completions", "unknown"],
  ] as const) {
    await ask(relay.port, { path, body: { model } });
  }
  const { requests, measured } = await report("/admin/stats");
  assert.deepEqual(requests, { 200: 2, 429: 1, model_not_found: 1 });
  assert.deepEqual(
    measured.map((entry: object) => ({ ...entry, latency: undefined })),
    [{ provider: "local", model: "m", latency: undefined }],
  );
  assert.ok(measured[0].latency.p50 >= 0);
  const [worker] = (await report("/admin/workers")).workers;
  assert.ok(Math.abs(Date.parse(worker.connected_at) - Date.now()) < 30_000, worker.connected_at);
});
