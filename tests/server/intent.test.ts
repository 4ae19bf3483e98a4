import assert from "node:assert/strict";
import { test } from "node:test";
import { asksToStore, wantsPeek } from "../../server/intent.ts";
import { type Asked, bytesOf, FORM_TYPE, intentOf, JSON_TYPE, part } from "./intent/set_up.ts";

const streams: (Asked & { name: string; streaming: boolean })[] = [
  { name: "stream: true", headers: JSON_TYPE, body: '{"stream":true}', streaming: true },
  { name: "stream: 1", headers: JSON_TYPE, body: '{"stream":1}', streaming: false },
  { name: "stream: false", headers: JSON_TYPE, body: '{"stream":false}', streaming: false },
  { name: "the last of two", headers: JSON_TYPE, body: '{"stream":true,"stream":false}', streaming: false },
  { name: "inside something else", headers: JSON_TYPE, body: '{"a":{"stream":true}}', streaming: false },
  { name: "?stream=true", target: "/x?a=1&stream=true", streaming: true },
  { name: "?stream=false", target: "/x?stream=false", streaming: false },
  { name: "Accept", headers: { accept: "application/json, text/event-stream" }, streaming: true },
  { name: "nothing", streaming: false },
];

for (const { name, streaming, ...facts } of streams) {
  test(`readIntent() takes for streaming or not: ${name}`, () =>
    assert.equal(intentOf(facts).request.streaming, streaming));
}

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
const needs: (Asked & { name: string; needs: string[] })[] = [
  { name: "a POST of JSON", headers: JSON_TYPE, body: "{}", needs: [] },
  { name: "a POST without a body", headers: { "content-length": "0" }, needs: [] },
  { name: "a GET", method: "GET", needs: ["method"] },
  {
    name: "a GET of a browser",
    method: "GET",
    headers: { accept: "text/html,image/avif,*/*;q=0.8" },
    needs: ["method"],
  },
  { name: "a WebSocket", method: "GET", headers: { upgrade: "WebSocket" }, needs: ["method", "upgrade"] },
  { name: "an image", headers: { "content-type": "image/png" }, body: PNG, needs: ["binary"] },
  {
    name: "an image that was not read",
    headers: { "content-type": "image/png", "content-length": "4" },
    needs: ["binary"],
  },
  { name: "an upload of unknown length", headers: { "transfer-encoding": "chunked" }, needs: ["binary"] },
  { name: "bytes without a type", body: PNG, needs: ["binary"] },
  { name: "text without a type", body: "caf\u00e9", needs: [] },
  { name: "text without a type that goes on", body: "text", whole: false, needs: ["binary"] },
  { name: "JSON that goes on", headers: JSON_TYPE, body: "{", whole: false, needs: [] },
  {
    name: "form fields",
    headers: { "content-type": "application/x-www-form-urlencoded", "content-length": "3" },
    needs: [],
  },
  { name: "a form of text", headers: FORM_TYPE, body: `${part("a", "b")}--xx--`, needs: [] },
  {
    name: "compressed JSON",
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
    body: PNG,
    needs: ["binary"],
  },
  {
    name: "speech wanted",
    headers: { ...JSON_TYPE, accept: "application/octet-stream" },
    body: "{}",
    needs: ["binary"],
  },
  {
    name: "any audio wanted",
    headers: { ...JSON_TYPE, accept: "audio/mpeg, audio/*;q=0.5" },
    body: "{}",
    needs: ["binary"],
  },
  {
    name: "audio or JSON wanted",
    headers: { ...JSON_TYPE, accept: "audio/mpeg, application/json" },
    body: "{}",
    needs: [],
  },
];

for (const { name, needs: wanted, ...facts } of needs) {
  test(`readIntent() needs of a link: ${name}`, () =>
    assert.deepEqual([...intentOf(facts).request.needs].sort(), wanted));
}

test("readIntent() parts path and query", () => {
  assert.equal(intentOf({ target: "/v1/a%2Fb?x=/y?z" }).request.path, "/v1/a%2Fb");
  assert.equal(intentOf({ target: "/v1" }).request.path, "/v1");
});

const peeks: [headers: Record<string, string>, wanted: boolean][] = [
  [JSON_TYPE, true],
  [{}, true],
  [FORM_TYPE, true],
  [{ "content-type": "audio/wav" }, false],
  [{ "content-type": "text/plain" }, false],
  [{ ...JSON_TYPE, "content-encoding": "zstd" }, false],
];
for (const [headers, wanted] of peeks) {
  test(`wantsPeek() says ${wanted} to ${JSON.stringify(headers)}`, () =>
    assert.equal(wantsPeek(new Headers(headers)), wanted));
}

const stores: (Asked & { name: string; stores: boolean | undefined; bytesSay?: boolean })[] = [
  { name: "store", headers: JSON_TYPE, body: '{"store":true}', stores: true },
  { name: "background", headers: JSON_TYPE, body: '{"background":true}', stores: true },
  { name: "neither", headers: JSON_TYPE, body: '{"store":false,"background":null}', stores: false },
  { name: "the last of two", headers: JSON_TYPE, body: '{"store":true,"store":false}', stores: false },
  {
    name: "a long body",
    headers: JSON_TYPE,
    body: `{"a":"${"x".repeat(5_000)}","store":true}`,
    stores: true,
  },
  { name: "a body in part", headers: JSON_TYPE, body: '{"store":true,', whole: false, stores: undefined },
  { name: "no JSON", headers: JSON_TYPE, body: '{"store":true', stores: undefined },
  {
    name: "JSON by another name",
    headers: { "content-type": "text/plain" },
    body: '{"store":true}',
    stores: undefined,
    bytesSay: true,
  },
];
for (const { name, stores: wanted, bytesSay, ...asked } of stores) {
  test(`readIntent() and asksToStore() say whether something is kept: ${name}`, () => {
    assert.equal(intentOf(asked).stores, wanted);
    assert.equal(asksToStore(bytesOf(asked.body!)), bytesSay ?? wanted ?? false);
  });
}

test("asksToStore() says no of no body", () => assert.equal(asksToStore(undefined), false));

test("readIntent() has nothing more to say of a plain request", () => {
  const { request, warnings } = intentOf({ headers: JSON_TYPE, body: '{"model":"m"}' });
  assert.deepEqual(Object.keys(request).sort(), ["method", "model", "needs", "path", "streaming"]);
  assert.deepEqual(warnings, []);
});
