import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_TOKEN, endRelay, startRelay } from "../support/admin_view.ts";
import { cookieIn, OWN_PAGE, signIn } from "../support/dashboard_session.ts";
import { RelayProgram } from "../support/program.ts";
import { ask } from "../support/raw_client.ts";
import { failureCode } from "../support/raw_client_response.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";

/** `/dashboard` as it stands on the wire: its page, signing in and out, what a session opens and what not. */

let relay: RelayProgram;
let worker: ScriptedWorker;

before(async () => {
  relay = await startRelay();
  worker = await ScriptedWorker.connect(relay.url, { serve: (request) => request.answer(200, "{}") });
});

after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await endRelay(relay);
});

const get = (path: string, headers: Record<string, string> = {}) =>
  ask(relay.port, { method: "GET", path, headers });

test("the page has what keeps it apart from every other page", async () => {
  const cookie = cookieIn(await signIn(relay.port));
  const pages = { "sign-in": {}, "sign-out": cookie };
  for (const [its, headers] of Object.entries(pages)) {
    const response = await get("/dashboard", headers);
    assert.equal(response.status, 200);
    assert.match(response.body, new RegExp(`id="${its}"`));
    const header = (name: string) => response.headers.get(name) ?? "";
    assert.equal(header("content-type"), "text/html; charset=utf-8");
    assert.match(
      header("content-security-policy"),
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-/,
    );
    assert.match(
      header("content-security-policy"),
      /frame-ancestors 'none'.*require-trusted-types-for 'script'/,
    );
    assert.equal(header("x-frame-options"), "DENY");
    assert.equal(header("referrer-policy"), "no-referrer");
    assert.equal(header("x-content-type-options"), "nosniff");
    assert.equal(header("cache-control"), "no-store");
    assert.equal(header("cross-origin-opener-policy"), "same-origin");
  }
});

test("who has not signed in sees nothing but the form", async () => {
  const { body } = await get("/dashboard", { cookie: "signalbox_session=x" });
  assert.doesNotMatch(body, /id="workers"|route-test|scripted/);
});

test("/dashboard and all below it is the relay's, whatever the method", async () => {
  for (const [method, path, status] of [
    ["POST", "/dashboard", 405],
    ["DELETE", "/dashboard?x=y", 405],
    ["OPTIONS", "/dashboard", 405],
    ["GET", "/dashboard/sign-in", 405],
    ["PUT", "/dashboard/sign-out", 405],
    ["GET", "/dashboard/", 404],
    ["POST", "/dashboard/dashboard.js", 404],
    ["GET", "/x/../dashboard/x", 404],
  ] as const) {
    const response = await ask(relay.port, { method, path, ...(method !== "GET" && { body: "" }) });
    assert.equal(response.status, status, `${method} ${path}`);
    if (status === 405) assert.match(response.headers.get("allow") ?? "", /^(?:GET, HEAD|POST)$/);
  }
  assert.equal(worker.requests.length, 0);
});

test("HEAD gives the head alone", async () => {
  const response = await fetch(`${relay.url}/dashboard`, { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-frame-options"), "DENY");
  assert.equal(await response.text(), "");
});

test("the right token gives a cookie that no script sees and no other site sends", async () => {
  const response = await signIn(relay.port);
  assert.match(
    response.headers.get("set-cookie")!,
    /^signalbox_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  assert.equal(response.body, "");
  await relay.says(/Somebody signed in at the dashboard.*127\.0\.0\.1/);
  const form = { ...OWN_PAGE, "content-type": "application/x-www-form-urlencoded" };
  const byForm = { path: "/dashboard/sign-in", headers: form, body: `token=${ADMIN_TOKEN}` };
  cookieIn(await ask(relay.port, byForm));
});

for (const [name, headers] of [
  ["nobody knows where from", {}],
  ["from another site", { "sec-fetch-site": "cross-site" }],
  ["from another port of this host", { "sec-fetch-site": "same-site", origin: "http://relay.test:1" }],
  ["from another origin", { origin: "http://evil.test" }],
] as [string, Record<string, string>][]) {
  test(`the right token is refused when it comes ${name}`, async () => {
    const response = await signIn(relay.port, { headers });
    assert.deepEqual([response.status, failureCode(response)], [403, "admin_forbidden"]);
    assert.ok(!response.headers.has("set-cookie"));
  });
}

test("a browser that says no Sec-Fetch-Site, as without TLS, is known by its Origin", async () => {
  cookieIn(await signIn(relay.port, { headers: { origin: "http://relay.test" } }));
});

test("what is no token is refused before it fills anything", async () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    ask(relay.port, { path: "/dashboard/sign-in", headers: { ...OWN_PAGE, ...headers }, body });
  assert.equal((await post("x".repeat(4097))).status, 413);
  assert.equal((await post("2\r\n{}\r\n0\r\n\r\n", { "transfer-encoding": "chunked" })).status, 413);
  assert.equal((await post("{")).status, 400);
  assert.equal((await post("null")).status, 400);
});

test("a session opens what its page shows, and ends when it signs out", async () => {
  const cookie = cookieIn(await signIn(relay.port));
  for (const path of ["/admin/workers", "/admin/stats", "/health"]) {
    const { status, body } = await get(path, cookie);
    assert.equal(status, 200, path);
    assert.match(body, /scripted|active_workers|uptime_secs/, path);
  }
  const away = { path: "/dashboard/sign-out", headers: { ...cookie, origin: "http://evil.test" } };
  assert.equal((await ask(relay.port, away)).status, 403);
  assert.equal((await get("/admin/workers", cookie)).status, 200);
  const left = await ask(relay.port, { ...away, headers: { ...cookie, ...OWN_PAGE } });
  assert.equal(left.status, 204);
  assert.match(
    left.headers.get("set-cookie")!,
    /^signalbox_session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  assert.equal((await get("/admin/workers", cookie)).status, 403);
  assert.doesNotMatch((await get("/health", cookie)).body, /uptime/);
});

test("what a session opens is kept in no cache", async () => {
  const cookie = cookieIn(await signIn(relay.port));
  for (const path of ["/admin/workers", "/admin/stats", "/health"])
    assert.equal((await get(path, cookie)).headers.get("cache-control"), "no-store", path);
  assert.equal((await get("/v1/models")).headers.has("cache-control"), false);
});

test("with a session route-test answers the dashboard's page and no other", async () => {
  const cookie = cookieIn(await signIn(relay.port));
  const request = (headers: Record<string, string>) =>
    ask(relay.port, {
      path: "/admin/route-test",
      headers: { "content-type": "application/json", ...headers },
      body: { path: "/v1/x" },
    });
  assert.match((await request({ ...cookie, ...OWN_PAGE })).body, /"type":"dispatch"/);
  for (const headers of [
    cookie,
    { ...cookie, origin: "http://evil.test" },
    { ...cookie, "sec-fetch-site": "same-site" },
  ]) {
    const response = await request(headers);
    assert.deepEqual([response.status, failureCode(response)], [403, "admin_forbidden"]);
  }
});

test("a session is no key and no admin token to what is relayed", async () => {
  const headers = { ...cookieIn(await signIn(relay.port)), "x-signalbox-explain": "1" };
  const response = await ask(relay.port, { headers, body: { model: "m" } });
  assert.deepEqual([response.status, failureCode(response)], [403, "forbidden"]);
});

test("beside it no backend's page gets a service worker", async () => {
  const script = { "service-worker": "script" };
  const refused = await get("/sw.js", script);
  assert.deepEqual([refused.status, failureCode(refused)], [404, "path_not_allowed"]);
  assert.equal((await get("/sw.js")).status, 200);
  await using plain = await RelayProgram.start();
  await using _serving = await ScriptedWorker.connect(plain.url, {
    serve: (request) => request.answer(200, "{}"),
  });
  assert.equal((await ask(plain.port, { method: "GET", path: "/sw.js", headers: script })).status, 200);
});

test("CORS never applies to it", async () => {
  await using open = await startRelay(["--cors-origin=*"]);
  const headers = { origin: "http://evil.test" };
  const response = await ask(open.port, { method: "GET", path: "/dashboard", headers });
  assert.ok(!response.headers.has("access-control-allow-origin"));
  const preflight = { ...headers, "access-control-request-method": "POST" };
  const asked = await ask(open.port, { method: "OPTIONS", path: "/dashboard/sign-in", headers: preflight });
  assert.equal(asked.status, 405);
});

test("without an admin token the page says how to set one, and nobody can sign in", async () => {
  await using closed = await RelayProgram.start();
  const { status, body } = await ask(closed.port, { method: "GET", path: "/dashboard" });
  assert.equal(status, 200);
  assert.match(body, /--admin-token-file/);
  assert.doesNotMatch(body, /<script|<form|<table/);
  for (const token of ["", "undefined", ADMIN_TOKEN]) {
    assert.equal((await signIn(closed.port, { token })).status, 403);
  }
});

test("--no-dashboard: nothing is there, and nothing is relayed there", async () => {
  await using off = await startRelay(["--no-dashboard"]);
  const page = await ask(off.port, { method: "GET", path: "/dashboard" });
  assert.deepEqual([page.status, failureCode(page)], [404, "not_found"]);
  assert.equal((await signIn(off.port)).status, 404);
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  assert.equal((await ask(off.port, { method: "GET", path: "/admin/workers", headers })).status, 200);
});
