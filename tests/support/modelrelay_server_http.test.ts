import assert from "node:assert/strict";
import type { HttpCall } from "./modelrelay/probe.ts";
import { CHAT, comparable, post, serverReplay, withoutUptime } from "./modelrelay/server_replay.ts";

const { block, checkComplete } = serverReplay("http");

const PLAIN_CALLS: Record<string, HttpCall> = {
  "models empty": { path: "/v1/models" },
  "404": { path: "/nothing" },
  "/dashboard": { path: "/dashboard" },
  "/metrics": { path: "/metrics" },
  "405 GET chat": { path: CHAT },
  "trailing slash": { path: "/v1/models/" },
  "bad json": post(CHAT, "{"),
  "no model": post(CHAT, "{}"),
  "stream null": post(CHAT, '{"model":"m","stream":null}'),
  "413": post(CHAT, "x".repeat(2_097_153)),
  "connect non-upgrade": { path: "/v1/worker/connect" },
  "connect POST": post("/v1/worker/connect", ""),
  preflight: { method: "OPTIONS", path: CHAT },
  "admin workers noauth": { path: "/admin/workers" },
  "admin workers bare token": { path: "/admin/workers", headers: { authorization: "adm" } },
  "admin stats": { path: "/admin/stats", headers: { authorization: "Bearer adm" } },
};
for (const [title, request] of Object.entries(PLAIN_CALLS)) {
  block(title, {}, async (server, [recorded]) => assert.equal(await comparable(request, server), recorded));
}

block("invalid utf8 body", {}, async (server, [recorded]) => {
  const body = new Uint8Array([0x7b, 0xff, 0x7d]);
  assert.equal(await comparable({ method: "POST", path: CHAT, body }, server), recorded);
});

for (const [title, method] of [
  ["health empty", "GET"],
  ["HEAD health", "HEAD"],
] as const) {
  block(title, {}, async (server, [recorded]) => {
    const found = await comparable({ method, path: "/health" }, server);
    assert.equal(withoutUptime(found), withoutUptime(recorded!));
  });
}

checkComplete({
  "admin key no ct no auth": "the stand-in has no key management: keys are given to it",
  "admin key bad json no auth": "as above",
  "admin key missing name no auth": "as above",
  "admin key create": "as above",
  "admin key list": "as above",
  "admin key delete bad id": "as above",
});
