import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addResponseHeaders,
  contentLength,
  relayHeaders,
  requestPairs,
  responsePairs,
} from "../../shared/headers.ts";
import type { HeaderPairs } from "../../shared/http1/types.ts";

const CROSSING = { peer: "192.0.2.7", secure: false, trustedPeer: false, consumed: [] };

/** What arrives behind the relay, without the fields that it always adds. */
function crosses(sent: Record<string, string>, crossing: Partial<Parameters<typeof requestPairs>[1]> = {}) {
  const pairs = requestPairs(new Headers(sent), { ...CROSSING, ...crossing });
  return Object.fromEntries(pairs.filter(([name]) => !/^(via|x-forwarded-(for|proto|host))$/.test(name)));
}

const ends: Record<string, Record<string, string>> = {
  "end-to-end fields": {
    accept: "*/*",
    "user-agent": "x/1",
    cookie: "a=1; b=2",
    traceparent: "00-ab-cd-01",
    range: "bytes=0-",
  },
  "a client's own credential": { authorization: "Bearer sk", "x-api-key": "k" },
  "what is like a control field but none": { "x-models": "m", "x-signalboxes": "1", "x-modelx": "1" },
  "what OpenRouter is told of an app": { "x-openrouter-title": "App", "http-referer": "https://app.example" },
  encodings: { "accept-encoding": "gzip", "content-encoding": "br" },
  subprotocols: { "sec-websocket-protocol": "realtime" },
};
for (const [name, sent] of Object.entries(ends)) {
  test(`requestPairs() lets pass: ${name}`, () => assert.deepEqual(crosses(sent), sent));
}

const stops: Record<string, Record<string, string>> = {
  "hop-by-hop fields": {
    connection: "keep-alive, upgrade",
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    "proxy-authorization": "Basic eA==",
    te: "trailers",
    trailer: "x-sum",
    "transfer-encoding": "chunked",
    upgrade: "websocket",
    "http2-settings": "AAM",
  },
  "what Connection names": { connection: "close, X-Hop ,x-other", "x-hop": "1", "x-other": "2" },
  "framing and the name of this hop": {
    "content-length": "4",
    host: "relay.example",
    expect: "100-continue",
  },
  "the handshake of this hop": {
    "sec-websocket-key": "k",
    "sec-websocket-version": "13",
    "sec-websocket-extensions": "x",
  },
  "what is for the relay": {
    "x-provider": "home",
    "x-provider-endpoint": "https://a.example",
    "x-provider-signature": "v1",
    "x-provider-authorization": "Bearer x",
    "x-model-provider": "oci",
    "x-model": "m",
    "x-openrouter-metadata": "enabled",
    "x-signalbox-explain": "1",
    "x-worker-secret": "s",
  },
  "what an untrusted peer says of the client": { forwarded: "for=1.2.3.4" },
};
for (const [name, sent] of Object.entries(stops)) {
  test(`requestPairs() stops: ${name}`, () =>
    assert.deepEqual(crosses({ ...sent, accept: "*/*" }), { accept: "*/*" }));
}

test("requestPairs() stops the credential that was consumed, not the other", () => {
  const sent = { authorization: "Bearer relay", "x-api-key": "backend" };
  assert.deepEqual(crosses(sent, { consumed: ["authorization"] }), { "x-api-key": "backend" });
});

test("requestPairs() gives the length when it is known", () => {
  assert.deepEqual(crosses({}, { contentLength: 0 }), { "content-length": "0" });
});

test("requestPairs() keeps Latin-1", () => {
  assert.deepEqual(crosses({ "x-note": "caf\u00e9" }), { "x-note": "caf\u00e9" });
});

function forwarded(sent: Record<string, string>, crossing: Partial<Parameters<typeof requestPairs>[1]> = {}) {
  const found = Object.fromEntries(requestPairs(new Headers(sent), { ...CROSSING, ...crossing }));
  const { "x-forwarded-for": by, "x-forwarded-proto": proto, "x-forwarded-host": host, via } = found;
  return [by, proto, host, via];
}
const CLAIMS = {
  "x-forwarded-for": "10.0.0.1",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "front.example",
};
const VIA = "1.1 signalbox";

test("requestPairs() replaces what a peer claims", () => {
  assert.deepEqual(forwarded({ ...CLAIMS, host: "a.example" }), ["192.0.2.7", "http", "a.example", VIA]);
  assert.deepEqual(forwarded({}, { secure: true }), ["192.0.2.7", "https", undefined, VIA]);
});

test("requestPairs() continues what a trusted peer says", () => {
  const trusted = { trustedPeer: true };
  assert.deepEqual(forwarded({ ...CLAIMS, host: "a.example", via: "2 front" }, trusted), [
    "10.0.0.1, 192.0.2.7",
    "https",
    "front.example",
    `2 front, ${VIA}`,
  ]);
  assert.deepEqual(forwarded({ host: "a.example" }, trusted), ["192.0.2.7", "http", "a.example", VIA]);
  assert.equal(crosses({ forwarded: "for=1.2.3.4" }, trusted).forwarded, "for=1.2.3.4");
});

test("a client cannot have the relay's own additions taken away again", () => {
  assert.equal(forwarded({ connection: "x-forwarded-for, via" })[0], "192.0.2.7");
});

test("responsePairs() stops what is of one hop, in any case, and keeps length, order and duplicates", () => {
  const pairs: HeaderPairs = [
    ["Content-Length", "3"],
    ["Set-Cookie", "a=1"],
    ["Connection", "close, X-Hop"],
    ["X-Hop", "1"],
    ["Transfer-Encoding", "chunked"],
    ["KEEP-ALIVE", "timeout=5"],
    ["Set-Cookie", "b=2"],
    ["Upgrade", "h2c"],
    ["Trailer", "x"],
  ];
  assert.deepEqual(responsePairs(pairs), [
    ["Content-Length", "3"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
});

test("each of several Connection fields counts", () => {
  const pairs: HeaderPairs = [
    ["connection", "keep-alive"],
    ["Connection", "X-Hop"],
    ["x-hop", "1"],
    ["x-other", "2"],
    ["connection", "x-other"],
  ];
  assert.deepEqual(responsePairs(pairs), []);
  assert.deepEqual([...addResponseHeaders(relayHeaders({}), pairs)], [["via", VIA]]);
});

test("addResponseHeaders() keeps cookies apart, combines the rest, and leaves the length to the runtime", () => {
  const headers = addResponseHeaders(relayHeaders({}), [
    ["Set-Cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["Vary", "origin"],
    ["vary", "accept"],
    ["content-length", "3"],
  ]);
  assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(headers.get("vary"), "origin, accept");
  assert.ok(!headers.has("content-length"));
  assert.equal(headers.get("via"), VIA);
});

test("addResponseHeaders() does not believe a worker: relay fields and hop-by-hop fields stop, the relay's own stay", () => {
  const own = relayHeaders({ "x-signalbox-worker": "box", "x-accel-buffering": "no" });
  const headers = addResponseHeaders(own, [
    ["X-Signalbox-Worker", "forged"],
    ["x-signalbox-attempts", "9"],
    ["Transfer-Encoding", "chunked"],
    ["via", "1.1 backend"],
    ["x-accel-buffering", "yes"],
    ["Via", "1.0 proxy"],
  ]);
  assert.deepEqual(Object.fromEntries(headers), {
    "x-signalbox-worker": "box",
    "x-accel-buffering": "no",
    via: `1.1 backend, 1.0 proxy, ${VIA}`,
  });
});

test("addResponseHeaders() passes on what a backend says of buffering where the relay says nothing", () => {
  const headers = addResponseHeaders(relayHeaders({}), [
    ["X-Accel-Buffering", "no"],
    ["x-accel-buffering", "yes"],
    ["Via", " 1.1 a "],
  ]);
  assert.equal(headers.get("x-accel-buffering"), "no, yes");
  assert.equal(headers.get("via"), `1.1 a, ${VIA}`);
});

const invalid: [name: string, value: string][] = [
  ["", "x"],
  ["a b", "x"],
  ["a:b", "x"],
  ["caf\u00e9", "x"],
  ["a\r\nb", "x"],
  ["a", "x\r\nSet-Cookie: y"],
  ["a", "x\ny"],
  ["a", "x\0y"],
  ["a", "\u0100"],
  ["via", "x\r\ny"],
];
for (const pair of invalid) {
  test(`addResponseHeaders() refuses ${JSON.stringify(pair)}`, () => {
    assert.throws(() => addResponseHeaders(relayHeaders({}), [pair]), {
      name: "RelayFailure",
      code: "worker_invalid",
    });
  });
}

const lengths: [value: string | null | undefined, length: number | undefined][] = [
  [null, undefined],
  [undefined, undefined],
  ["", undefined],
  ["0", 0],
  ["1048576", 1048576],
  ["-1", undefined],
  ["+1", undefined],
  ["1e3", undefined],
  ["0x10", undefined],
  ["5, 5", undefined],
  ["9".repeat(15), 999_999_999_999_999],
  ["9".repeat(16), undefined],
];
for (const [value, length] of lengths) {
  test(`contentLength() of ${JSON.stringify(value)}`, () => assert.equal(contentLength(value), length));
}

test("requestPairs() says nothing of an address where there is none, and lets nothing past with underscores", () => {
  const headers = new Headers({
    host: "h",
    x_provider_endpoint: "a",
    "x-provider_endpoint": "b",
    x_model: "c",
  });
  headers.set("x_own", "kept");
  const names = requestPairs(headers, { ...CROSSING, peer: "" }).map(([name]) => name);
  assert.deepEqual(names.sort(), ["via", "x-forwarded-host", "x-forwarded-proto", "x_own"]);
});
