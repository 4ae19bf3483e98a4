import assert from "node:assert/strict";
import net from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { Canary } from "../support/canary.ts";
import { endpointAt, HOST, LOOPBACK, listed, OverrideStand, said } from "../support/override_stand.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";

/** What a provider does is what the client gets, and nobody else is asked. */

let provider: RawBackend;
let stand: OverrideStand;

const serve = (request: BackendRequest) => answers.get(request.target)?.(request);
const answers = new Map<string, (request: BackendRequest) => unknown>();

before(async () => {
  provider = await RawBackend.start(serve);
  stand = await OverrideStand.start(
    { endpoint: [listed(provider.port)] },
    {
      flags: [
        "--request-timeout=1s",
        "--response-idle-timeout=1s",
        "--max-body-size=1000",
        "--max-header-size=4KiB",
      ],
    },
  );
});

after(async () => {
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

/** Ask for an answer that the provider gives this once. */
async function ask(
  answer: (request: BackendRequest) => unknown,
  rest: { method?: string; body?: string } = {},
) {
  const target = `/v1/${answers.size}`;
  answers.set(target, answer);
  return await stand.ask(endpointAt(provider.port, target), rest);
}

for (const status of [200, 201, 204, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504, 529, 599]) {
  test(`${status} is the provider's own, with its headers and its body`, async () => {
    const headers = { "retry-after": "7", "x-of-the-provider": "yes", "content-type": "text/odd" };
    const answer = await ask((request) =>
      status === 204
        ? request.send(
            "HTTP/1.1 204 Said\r\nretry-after: 7\r\nx-of-the-provider: yes\r\ncontent-type: text/odd\r\n\r\n",
          )
        : request.reply(status, `said ${status}`, headers),
    );
    assert.equal(answer.status, status);
    assert.equal(answer.body, status === 204 ? "" : `said ${status}`);
    for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers.get(name), value);
    assert.equal(answer.headers.get("x-signalbox-provider"), "vllm");
    assert.equal(answer.headers.get("x-signalbox-attempts"), "1");
    assert.equal(answer.headers.has("x-signalbox-worker"), false);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`${status} is passed on, and nobody goes where it leads`, async () => {
    await using canary = await Canary.start();
    const location = `http://127.0.0.1:${canary.port}/v1/elsewhere`;
    const answer = await ask((request) => request.reply(status, "", { location, "set-cookie": "a=1" }));
    assert.deepEqual([answer.status, answer.headers.get("location")], [status, location]);
    assert.equal(canary.connections, 0);
    assert.doesNotMatch((await echoed()).head, /cookie/i);
  });
}

/** What a request is after the one before. */
async function echoed(): Promise<BackendRequest> {
  await ask((request) => request.reply(200, "again"));
  return provider.requests.at(-1)!;
}

for (const method of ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
  test(`${method} arrives as ${method}`, async () => {
    const body = ["PUT", "PATCH"].includes(method) ? { body: "a body" } : {};
    const answer = await ask((request) => request.reply(200, `${request.method}`), { method, ...body });
    assert.deepEqual([answer.status, answer.body], [200, method]);
    const sent = await provider.requests.at(-1)!.receivedWhole();
    assert.equal(sent.body.toString(), body.body ?? "");
  });
}

for (const method of ["TRACE", "CONNECT"]) {
  test(`${method} is not relayed`, async () => {
    const before = provider.requests.length;
    const { status } = await ask((request) => request.reply(200, ""), { method });
    assert.ok([0, 400, 405].includes(status), `${status}`);
    assert.equal(provider.requests.length, before);
  });
}

test("HEAD has the provider's headers and no body", async () => {
  answers.set("/v1/head", (request) =>
    request.send("HTTP/1.1 200 Said\r\ncontent-length: 5\r\nx-a: b\r\n\r\n"),
  );
  const client = await stand.send(stand.text(endpointAt(provider.port, "/v1/head"), { method: "HEAD" }));
  await client.receives("\r\n\r\n");
  assert.match(client.received, /^HTTP\/1\.1 200 .*\r\nx-a: b\r\n/is);
  assert.equal(provider.requests.at(-1)!.method, "HEAD");
  // The connection is good for another one.
  client.send(stand.text(endpointAt(provider.port, "/v1/head"), { method: "HEAD" }));
  await client.receives("\r\n\r\nHTTP/1.1 200");
});

test("a body beyond the limit is refused, and a header block", async () => {
  assert.equal(
    said(await ask((request) => request.reply(200, ""), { body: "b".repeat(1001) })),
    "413 body_too_large",
  );
  const headers = { "x-long": "h".repeat(5000) };
  assert.equal(said(await stand.ask(endpointAt(provider.port), { headers })), "431 header_too_large");
});

const NOTHING_ELSE = /127\.0\.0\.1|vllm\.pool|ECONN|refused|secret text|tls/i;

test("an answer that does not begin: 504, and the provider is left", async () => {
  const answer = await ask(() => {});
  assert.equal(said(answer), "504 provider_timeout");
  assert.doesNotMatch(answer.body, NOTHING_ELSE);
  await provider.requests.at(-1)!.isLeft();
});

test("an answer that is none", async () => {
  const answer = await ask((request) => request.send("SSH-2.0-secret text\r\n\r\n"));
  assert.equal(said(answer), "502 provider_invalid");
  assert.doesNotMatch(answer.body, NOTHING_ELSE);
});

test("a provider that closes instead of answering", async () => {
  const answer = await ask((request) => request.reset());
  assert.equal(said(answer), "502 provider_broke_off");
  assert.doesNotMatch(answer.body, NOTHING_ELSE);
});

for (const [title, end] of Object.entries({
  dies: (request: BackendRequest) => request.reset(),
  closes: (request: BackendRequest) => request.end(),
  "says nothing more": () => {},
})) {
  test(`a provider that ${title} in the middle of its answer: the truncation shows`, async () => {
    const target = `/v1/${title.replaceAll(" ", "-")}`;
    answers.set(target, (request) => request.startStream().chunk("data: 1\n\n"));
    const client = await stand.send(stand.text(endpointAt(provider.port, target)));
    await client.receives("data: 1\n\n");
    end(provider.requests.at(-1)!);
    await client.isClosed();
    assert.equal((await client.response()).complete, false);
  });
}

test("a provider that is down: 502, though a worker would serve it", async () => {
  const { port } = provider;
  await provider.kill();
  const answer = await stand.ask(endpointAt(port));
  assert.equal(said(answer), "502 provider_unreachable");
  assert.doesNotMatch(answer.body, NOTHING_ELSE);
  provider = await RawBackend.start(serve, port);
  assert.equal((await ask((request) => request.reply(200, "back"))).body, "back");
});

test("a name that nobody knows, and a DNS server that does not work", async () => {
  const patterns = ["http://*.pool.example/v1/**"];
  await using other = await OverrideStand.start({
    endpoint: [{ name: "all", patterns, allow_private: LOOPBACK }],
  });
  const cases = { nobody: [], broken: "server failure" as const };
  for (const [name, dns] of Object.entries(cases)) {
    other.resolves = () => dns;
    const answer = await other.ask(`http://${name}.pool.example/v1/chat`);
    assert.equal(said(answer), "502 provider_unreachable");
    assert.doesNotMatch(answer.body, /pool|nobody|broken|ENOTFOUND|SERVFAIL/);
  }
  await other.isWorkerUntouched();
});

test("no worker saw any of that", () => stand.isWorkerUntouched());

test("the relay's own addresses are no provider, however its endpoint is listed", async () => {
  const [port, second] = await Promise.all([freePort(), freePort()]);
  const own = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outer = own
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
  const flags = ["--listen", `127.0.0.1:${port}`];
  const allow_private = ["0.0.0.0/0", "::/0"];
  const endpoint = [port, second].map((at) => listed(at, { name: `own-${at}`, allow_private }));
  await using other = await OverrideStand.start({ endpoint, listen: `127.0.0.1:${second}` }, { flags });
  for (const [at, address] of [
    [port, "127.0.0.1"],
    [second, "127.0.0.1"],
    ...outer.slice(0, 1).map((one) => [port, one]),
  ] as const) {
    other.resolves = () => [address as string];
    const answer = await other.ask(`http://${HOST}:${at}/v1/chat`);
    assert.equal(said(answer), "502 provider_unreachable");
  }
  assert.match(other.relay.stderr, /is forbidden \(our own\)/);
  await other.isWorkerUntouched();
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
