import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddress, trustedProxies } from "../../server/trusted_proxies.ts";

const isTrustedProxy = trustedProxies(["10.0.0.0/8", "fd00::/8"]);
const addressOf = (peer: string, chain?: string) =>
  clientAddress(peer, new Headers(chain === undefined ? {} : { "x-forwarded-for": chain }), isTrustedProxy);

for (const [chain, address] of [
  [undefined, "10.0.0.1"],
  ["", "10.0.0.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["192.0.2.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  // Some proxies add the port, which is another with each connection.
  ["192.0.2.1:4711", "192.0.2.1"],
  ["192.0.2.1:4711, 10.0.0.2:80", "192.0.2.1"],
  ["[2001:db8::1]:4711", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[2001:db8::1]:4711, [fd00::1]:80", "2001:db8::1"],
] as const) {
  test(`a proxy of ours that was told ${JSON.stringify(chain)} speaks for ${address}`, () => {
    assert.equal(addressOf("10.0.0.1", chain), address);
  });
}

test("nobody else speaks for another", () => assert.equal(addressOf("192.0.2.7", "192.0.2.1"), "192.0.2.7"));
