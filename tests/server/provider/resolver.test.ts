import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Place, ProviderResolver } from "../../../server/provider/resolver.ts";
import { DialError } from "../../../shared/runtime/ports.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { endpointOf } from "./set_up.ts";

const PLACE: Place = { endpoint: endpointOf({}), host: "unit1.test", port: 443 };

/** A resolver whose lookups are answered by `answer`, and counted. */
function setUp(
  answer: (host: string) => string[] | Promise<string[]>,
  own = (_: string, port: number) => port === 1,
) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const resolver = new ProviderResolver({
    lookup: async (host) => {
      asked.push(host);
      return answer(host);
    },
    clock,
    own: { has: own },
    timeoutMs: 10_000,
  });
  return {
    clock,
    asked,
    resolver,
    resolve: (place: Partial<Place> = {}) => resolver.resolve({ ...PLACE, ...place }),
  };
}

const refusal = (kind: DialError["kind"], words: RegExp) => (error: unknown) =>
  error instanceof DialError && error.kind === kind && words.test(error.message);

interface Vector {
  name: string;
  header_value: string;
  expect: "accept" | "reject";
  dns?: string[];
}
const VECTORS = (
  JSON.parse(readFileSync(new URL("../routing/override_vectors.json", import.meta.url), "utf8")) as Vector[]
).filter(({ dns }) => dns);

test("there are vectors of both outcomes", () => {
  for (const outcome of ["accept", "reject"])
    assert.ok(
      VECTORS.some(({ expect }) => expect === outcome),
      outcome,
    );
});

for (const { name, header_value, expect, dns } of VECTORS) {
  test(`vector ${name}: ${expect}`, async () => {
    const { resolve } = setUp(() => dns!);
    const { done } = resolve({ host: new URL(header_value).hostname });
    if (expect === "accept") assert.deepEqual(await done, dns);
    else await assert.rejects(done, DialError);
  });
}

test("one forbidden address among many refuses the host", async () => {
  const { resolve } = setUp(() => ["8.8.8.8", "10.0.0.1"]);
  await assert.rejects(resolve().done, refusal("unreachable", /10\.0\.0\.1 is forbidden \(private\)/));
});

test("allow_private opens a range for its endpoint only", async () => {
  const { resolve } = setUp(() => ["10.0.0.1"]);
  const open = endpointOf({ name: "inside", allowPrivate: ["10.0.0.0/8"] });
  assert.deepEqual(await resolve({ endpoint: open }).done, ["10.0.0.1"]);
  await assert.rejects(resolve().done, DialError);
});

test("a place where the relay itself answers is refused, though its range is open", async () => {
  const { resolve } = setUp(() => ["127.0.0.1"]);
  const endpoint = endpointOf({ allowPrivate: ["127.0.0.0/8"] });
  assert.deepEqual(await resolve({ endpoint, port: 2 }).done, ["127.0.0.1"]);
  await assert.rejects(resolve({ endpoint, port: 1 }).done, refusal("unreachable", /our own/));
});

test("addresses are used for 30 s and then asked for and checked again", async () => {
  let addresses = ["8.8.8.8"];
  const { clock, asked, resolve } = setUp(() => addresses);
  assert.equal(resolve().addresses, undefined);
  await resolve().done;
  addresses = ["127.0.0.1"];
  clock.advance(29_999);
  assert.deepEqual(resolve().addresses, ["8.8.8.8"]);
  assert.equal(asked.length, 1);
  clock.advance(1);
  assert.equal(resolve().addresses, undefined);
  await assert.rejects(resolve().done, refusal("unreachable", /loopback/));
  assert.equal(asked.length, 2);
});

test("a failure is remembered for a second", async () => {
  let addresses: string[] = [];
  const { clock, asked, resolve } = setUp(() => addresses);
  await assert.rejects(resolve().done, refusal("resolve", /there are none/));
  addresses = ["8.8.8.8"];
  clock.advance(999);
  await assert.rejects(resolve().done, DialError);
  assert.equal(asked.length, 1);
  clock.advance(1);
  assert.deepEqual(await resolve().done, ["8.8.8.8"]);
});

test("who asks at the same time shares one lookup; another endpoint, host or port does not", async () => {
  const { asked, resolve } = setUp(() => ["8.8.8.8"]);
  await Promise.all([resolve().done, resolve().done, resolve().done]);
  assert.deepEqual(asked, ["unit1.test"]);
  await resolve({ endpoint: endpointOf({ name: "other" }) }).done;
  await resolve({ host: "unit2.test" }).done;
  await resolve({ port: 8443 }).done;
  assert.deepEqual(asked, ["unit1.test", "unit1.test", "unit2.test", "unit1.test"]);
});

test("a lookup that fails or takes too long says which", async () => {
  const failing = setUp(() => Promise.reject(new Error("SERVFAIL")));
  await assert.rejects(failing.resolve().done, refusal("resolve", /SERVFAIL/));
  const silent = setUp(() => new Promise(() => {}));
  const { done } = silent.resolve();
  silent.clock.advance(10_000);
  await assert.rejects(done, refusal("timeout", /10000 ms/));
  assert.equal(silent.clock.pending, 0);
});

test("IPv4 comes first, as not every machine has IPv6", async () => {
  const { resolve } = setUp(() => ["2603:c020:1::10", "8.8.8.8", "2603:c020:1::11", "8.8.4.4"]);
  assert.deepEqual(await resolve().done, ["8.8.8.8", "8.8.4.4", "2603:c020:1::10", "2603:c020:1::11"]);
});
