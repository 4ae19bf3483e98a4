import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { OwnAddresses } from "../../../server/provider/own_addresses.ts";
import { FakeClock } from "../../support/fake_clock.ts";

test("an address of an interface is our own on every port, also one that came later", () => {
  const clock = new FakeClock();
  const interfaces = ["10.0.0.5", "2A00:0:0::5", "127.0.0.1"];
  let reads = 0;
  const own = new OwnAddresses({
    clock,
    ports: () => [8080],
    interfaces: () => {
      reads++;
      return interfaces;
    },
  });
  assert.ok(own.has("10.0.0.5", 443));
  assert.ok(own.has("2a00::5", 443));
  assert.ok(!own.has("10.0.0.6", 443));
  interfaces.push("10.0.0.6");
  clock.advance(29_999);
  assert.ok(!own.has("10.0.0.6", 443));
  assert.equal(reads, 1);
  clock.advance(1);
  assert.ok(own.has("10.0.0.6", 443));
  assert.equal(reads, 2);
});

test("of loopback only the ports are our own that the relay listens on, wherever it listens", () => {
  const ports = [8080];
  const own = new OwnAddresses({
    clock: new FakeClock(),
    ports: () => ports,
    interfaces: () => ["127.0.0.1", "::1"],
  });
  for (const address of ["127.0.0.1", "127.9.9.9", "::1"]) {
    assert.ok(own.has(address, 8080), address);
    assert.ok(!own.has(address, 8081), address);
  }
  ports.push(8081);
  assert.ok(own.has("127.0.0.1", 8081));
});

test("the system's own list is read", () => {
  const own = new OwnAddresses({ clock: new FakeClock(), ports: () => [] });
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address, internal } of found) if (!internal) assert.ok(own.has(address, 443), address);
  assert.ok(!own.has("192.0.2.77", 443));
});
