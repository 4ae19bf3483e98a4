import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { FAILURE_OF_PROVIDER_RESET } from "../../shared/link/reset_failure.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { DialError, type DialOptions, type Runtime } from "../../shared/runtime/ports.ts";
import { DnsServer } from "../support/dns_server.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import { until } from "../support/until.ts";
import { Carried, dialerOf, endpointOf, targetOf } from "./provider/set_up.ts";

const fine = (request: BackendRequest) => request.reply(200, "fine");
/** The connection is not used again, so each request dials. */
const fineAndClosed = (request: BackendRequest) => request.reply(200, "fine", { connection: "close" });
const UNREACHABLE = { code: "backend_unreachable", text: "unreachable" };

/** The runtime's dialler, and what it was asked for. */
function recorded(): { dialled: DialOptions[]; runtime: Pick<Runtime, "dial"> } {
  const dialled: DialOptions[] = [];
  const dial: Runtime["dial"] = (options, handlers) => {
    dialled.push(options);
    return runtime.dial(options, handlers);
  };
  return { dialled, runtime: { dial } };
}

test("the checked address is dialled under the name, and what comes back is the answer", async () => {
  await using provider = await RawBackend.start(fine);
  const { dialled, runtime } = recorded();
  const { dialer } = dialerOf({ runtime });
  const one = await new Carried(dialer, targetOf({ port: provider.port })).over();
  assert.equal(one.text, "fine");
  assert.equal(dialled.length, 1);
  assert.equal(dialled[0]!.host, "good.test");
  assert.equal(dialled[0]!.address, "127.0.0.1");
  dialer.close();
});

const REFUSED: Record<string, { addresses: string[]; allowPrivate?: string[]; listening?: boolean }> = {
  "loopback that nobody opened": { addresses: ["127.0.0.1"] },
  "a public address beside a private one": { addresses: ["8.8.8.8", "127.0.0.1"] },
  "the relay's own port": { addresses: ["127.0.0.1"], allowPrivate: ["127.0.0.0/8"], listening: true },
  "loopback as an IPv4-mapped address": {
    addresses: ["::ffff:127.0.0.1"],
    allowPrivate: ["127.0.0.0/8", "::/0"],
  },
  "no address": { addresses: [], allowPrivate: ["127.0.0.0/8"] },
};
for (const [name, { addresses, allowPrivate = [], listening }] of Object.entries(REFUSED)) {
  test(`${name}: nothing is dialled`, async () => {
    await using canary = await RawBackend.start(fine);
    const { dialled, runtime } = recorded();
    const listeningPorts = () => (listening ? [canary.port] : []);
    const { dialer } = dialerOf({ runtime, listeningPorts, lookup: async () => addresses });
    const target = targetOf({ port: canary.port, endpoint: endpointOf({ allowPrivate }) });
    assert.deepEqual(await new Carried(dialer, target).fails(), UNREACHABLE);
    assert.equal(FAILURE_OF_PROVIDER_RESET.backend_unreachable, "provider_unreachable");
    assert.deepEqual(dialled, []);
    assert.equal(canary.connections, 0);
    dialer.close();
  });
}

test("a name that is bound anew within its 30 s changes nothing, and is refused after them", async () => {
  await using provider = await RawBackend.start(fineAndClosed);
  const canary = await listenOn("127.0.0.2", provider.port);
  let answer = ["127.0.0.1"];
  await using dns = await DnsServer.start(() => answer);
  const { dialer, clock } = dialerOf({ lookup: undefined!, resolver: { host: "127.0.0.1", port: dns.port } });
  const endpoint = endpointOf({ allowPrivate: ["127.0.0.1/32"] });
  const ask = () => new Carried(dialer, targetOf({ port: provider.port, endpoint }));
  assert.equal((await ask().over()).text, "fine");
  answer = ["127.0.0.2"];
  clock.advance(29_000);
  assert.equal((await ask().over()).text, "fine");
  assert.equal(dns.questions.length, 2);
  clock.advance(1000);
  assert.deepEqual(await ask().fails(), UNREACHABLE);
  answer = ["127.0.0.1"];
  clock.advance(1000);
  assert.equal((await ask().over()).text, "fine");
  assert.equal(provider.requests.length, 3);
  assert.equal(canary.connections(), 0);
  dialer.close();
  await canary.close();
});

test("an idle connection to an address that the name no longer has is not used", async () => {
  await using provider = await RawBackend.start(fine);
  const moved = await listenOn("127.0.0.2", provider.port);
  let answer = "127.0.0.1";
  const { dialer, clock } = dialerOf({ lookup: async () => [answer] });
  const ask = () => new Carried(dialer, targetOf({ port: provider.port }));
  for (let seconds = 0; seconds < 30; seconds += 3) {
    await ask().over();
    clock.advance(3000);
    answer = "127.0.0.2";
  }
  assert.equal(provider.requests.length, 10);
  assert.equal(provider.connections, 1);
  const last = ask();
  await until(() => moved.connections() === 1, "a connection to the new address");
  assert.equal(provider.requests.length, 10);
  last.exchange.reset("cancelled");
  dialer.close();
  await moved.close();
});

test("a connection that died while idle: what changes nothing is sent again, nothing else is", async () => {
  // Each connection serves one request and dies of the second: the 1st and the 3rd are served.
  await using provider = await RawBackend.start((request) => {
    if (provider.requests.length % 2 === 1) fine(request);
    else request.end();
  });
  const { dialer } = dialerOf();
  const target = targetOf({ port: provider.port });
  const post = { method: "POST", hasBody: true, headers: [["content-length", "2"]] as [string, string][] };
  await new Carried(dialer, target).over();
  assert.equal((await new Carried(dialer, target).over()).text, "fine");
  assert.equal(provider.requests.length, 3);
  const one = new Carried(dialer, target, post);
  one.exchange.write(new TextEncoder().encode("{}"));
  one.exchange.end();
  assert.equal((await one.fails()).code, "backend_broke_off");
  assert.equal(provider.requests.length, 4);
  dialer.close();
});

for (const [name, allowPrivate] of [
  ["forbidden", ["127.0.0.1/32"]],
  ["another", ["127.0.0.0/8"]],
] as const) {
  test(`before it is dialled again, the address is checked again: it is ${name} now`, async () => {
    await using provider = await RawBackend.start();
    let answer = ["127.0.0.1"];
    const { dialled, runtime } = recorded();
    const { dialer, clock } = dialerOf({ runtime, lookup: async () => answer });
    const target = targetOf({ port: provider.port, endpoint: endpointOf({ allowPrivate }) });
    const first = new Carried(dialer, target);
    fine(await provider.next());
    await first.over();
    const second = new Carried(dialer, target, {
      method: "PUT",
      hasBody: true,
      headers: [["content-length", "2"]],
    });
    second.exchange.write(new TextEncoder().encode("{}"));
    second.exchange.end();
    const request = await (await provider.next()).receivedWhole();
    answer = ["127.0.0.2"];
    clock.advance(30_000);
    request.end();
    assert.deepEqual(await second.fails(), UNREACHABLE);
    assert.equal(dialled.length, 1);
    assert.equal(provider.requests.length, 2);
    dialer.close();
  });
}

test("an address that takes no connection: the next one is tried, with the whole request", async () => {
  await using provider = await RawBackend.start(fine);
  const { dialled, runtime } = recorded();
  const { dialer } = dialerOf({ runtime, lookup: async () => ["127.0.0.3", "127.0.0.2", "127.0.0.1"] });
  const target = targetOf({ port: provider.port });
  for (const [headers, length] of [
    [[["content-length", "9"]], "9"],
    [[], undefined],
  ] as [[string, string][], string | undefined][]) {
    const one = new Carried(dialer, target, { method: "PUT", hasBody: true, headers });
    one.exchange.write(new TextEncoder().encode("the "));
    one.exchange.write(new TextEncoder().encode("whole"));
    one.exchange.end();
    const request = await (await provider.next()).receivedWhole();
    assert.equal(request.body.toString(), "the whole");
    assert.equal(request.headers.get("content-length"), length);
    assert.equal((await one.over()).text, "fine");
  }
  assert.deepEqual(
    dialled.slice(0, 3).map(({ address }) => address),
    ["127.0.0.3", "127.0.0.2", "127.0.0.1"],
  );
  dialer.close();
});

test("endpoints do not share connections, nor what they may reach", async () => {
  await using provider = await RawBackend.start(fine);
  const { dialer } = dialerOf();
  const ask = (given: Parameters<typeof endpointOf>[0]) =>
    new Carried(dialer, targetOf({ port: provider.port, endpoint: endpointOf(given) }));
  const allowPrivate = ["127.0.0.0/8"];
  for (const name of ["one", "two", "one"]) await ask({ name, allowPrivate }).over();
  assert.equal(provider.connections, 2);
  assert.equal(dialer.connections, 2);
  assert.deepEqual(await ask({ name: "three" }).fails(), UNREACHABLE);
  dialer.close();
  await until(() => provider.connections === 0, "every connection is closed");
});

test("a name or a connection that takes too long is a timeout, a refused one is not", async () => {
  const silent = dialerOf({ connectTimeoutMs: 2000, lookup: () => new Promise(() => {}) });
  const unnamed = new Carried(silent.dialer, targetOf({ port: 9 }));
  await until(() => silent.clock.pending > 0, "the lookup");
  silent.clock.advance(2000);
  assert.deepEqual(await unnamed.fails(), { code: "timeout", text: "timeout (connect)" });
  const late = async () => {
    throw new DialError("timeout", "Cannot connect to 127.0.0.1: no connection within 10000 ms");
  };
  const { dialer } = dialerOf({ runtime: { dial: late } });
  const unconnected = new Carried(dialer, targetOf({ port: 9 }));
  assert.deepEqual(await unconnected.fails(), { code: "timeout", text: "timeout (connect)" });
  const server = await listenOn("127.0.0.1", 0);
  await server.close();
  const refused = new Carried(dialerOf().dialer, targetOf({ port: server.port }));
  assert.deepEqual(await refused.fails(), UNREACHABLE);
});

test("when it is closed, what is under way breaks off and nothing new begins", async () => {
  await using provider = await RawBackend.start();
  const { dialer } = dialerOf();
  const target = targetOf({ port: provider.port });
  const one = new Carried(dialer, target);
  await provider.next();
  dialer.close();
  assert.equal((await one.fails()).code, "backend_broke_off");
  assert.equal((await new Carried(dialer, target).fails()).code, "backend_broke_off");
  await until(() => provider.connections === 0, "no connection is left");
});

/** Counts who comes, and says nothing. */
async function listenOn(host: string, port: number) {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    connections: () => sockets.length,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
