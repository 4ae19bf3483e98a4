import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameOrigin } from "../../../server/admin/same_origin.ts";

const HOST = "relay.test:8080";

for (const [name, headers, host, expected] of [
  ["a browser that says so", { "sec-fetch-site": "same-origin" }, HOST, true],
  ["a page of another port or subdomain", { "sec-fetch-site": "same-site" }, HOST, false],
  ["another page", { "sec-fetch-site": "cross-site" }, HOST, false],
  ["the address bar", { "sec-fetch-site": "none" }, HOST, false],
  [
    "a browser's word beats what Origin says",
    { "sec-fetch-site": "cross-site", origin: `http://${HOST}` },
    HOST,
    false,
  ],
  ["its own origin", { origin: `http://${HOST}` }, HOST, true],
  ["its own origin in other letters", { origin: "http://RELAY.test:8080" }, HOST, true],
  ["another port", { origin: "http://relay.test:8081" }, HOST, false],
  ["another host", { origin: "http://evil.test:8080" }, HOST, false],
  ["a host that begins like it", { origin: "http://relay.test:8080.evil.test" }, HOST, false],
  ["an origin that hides", { origin: "null" }, HOST, false],
  ["an empty Origin", { origin: "" }, HOST, false],
  ["nothing that tells", {}, HOST, false],
  ["the usual port, left out", { origin: "http://relay.test" }, "relay.test:80", true],
  ["the usual port of TLS, left out", { origin: "https://relay.test" }, "relay.test:443", true],
  ["the port of TLS without TLS", { origin: "http://relay.test" }, "relay.test:443", false],
  ["no host", { origin: "http://relay.test" }, "", false],
] as const) {
  test(`${expected ? "of the relay's own page" : "foreign"}: ${name}`, () => {
    assert.equal(isSameOrigin({ headers: new Headers(headers), host }), expected);
  });
}
