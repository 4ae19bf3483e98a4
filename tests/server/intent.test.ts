import assert from "node:assert/strict";
import { test } from "node:test";
import { readIntent, wantsPeek } from "../../server/intent.ts";
import { multipartField } from "../../server/multipart_field.ts";

interface Facts {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  whole?: boolean;
}

const JSON_TYPE = { "content-type": "application/json" };
const bytesOf = (body: string | Uint8Array) =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

function intent({
  method = "POST",
  target = "/v1/chat/completions",
  headers = {},
  body,
  whole = true,
}: Facts) {
  const peeked = body === undefined ? undefined : bytesOf(body);
  return readIntent({ method, target, headers: new Headers(headers), peeked, whole });
}

const FORM = { "content-type": "multipart/form-data; boundary=xx" };
const part = (name: string, value: string, more = "") =>
  `--xx\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const form = `${part("file", "RIFF\0", '; filename="a.wav"')}${part("model", "whisper")}--xx--\r\n`;
const padding = " ".repeat(10_000);

const models: (Facts & { name: string; model: string | undefined })[] = [
  { name: "the body's", headers: JSON_TYPE, body: '{"model":"m"}', model: "m" },
  { name: "a long body's", headers: JSON_TYPE, body: `{"a":1,${padding}"model":"m"}`, model: "m" },
  {
    name: "a body of a JSON-like type",
    headers: { "content-type": "Application/vnd.api+JSON; charset=utf-8" },
    body: '{"model":"m"}',
    model: "m",
  },
  { name: "a body without a type that begins like JSON", body: '{"model":"m"}', model: "m" },
  { name: "not of a body without a type that does not", body: ' {"model":"m"}', model: undefined },
  { name: "not of text", headers: { "content-type": "text/plain" }, body: '{"model":"m"}', model: undefined },
  {
    name: "not of an encoded body",
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
    body: '{"model":"m"}',
    model: undefined,
  },
  {
    name: "identity is no encoding",
    headers: { ...JSON_TYPE, "content-encoding": "identity" },
    body: '{"model":"m"}',
    model: "m",
  },
  { name: "not of invalid JSON", headers: JSON_TYPE, body: '{"model":"m"', model: undefined },
  {
    name: "the header's when the JSON is invalid",
    headers: { ...JSON_TYPE, "x-model": "h" },
    body: '{"model":"m"',
    model: "h",
  },
  { name: "the header's without a body", headers: { "x-model": " h " }, model: "h" },
  {
    name: "body before header",
    headers: { ...JSON_TYPE, "x-model": "h" },
    body: '{"model":"m"}',
    model: "m",
  },
  {
    name: "the header's when the body's is no name",
    headers: { ...JSON_TYPE, "x-model": "h" },
    body: '{"model":7}',
    model: "h",
  },
  {
    name: "an empty name is none",
    headers: { ...JSON_TYPE, "x-model": "" },
    body: '{"model":""}',
    model: undefined,
  },
  {
    name: "header before a body that goes on",
    headers: { ...JSON_TYPE, "x-model": "h" },
    body: '{"model":"m","a',
    whole: false,
    model: "h",
  },
  {
    name: "the beginning's of a body that goes on",
    headers: JSON_TYPE,
    body: '{"model":"m","a',
    whole: false,
    model: "m",
  },
  { name: "the form's", headers: FORM, body: form, model: "whisper" },
  { name: "header before form", headers: { ...FORM, "x-model": "h" }, body: form, model: "h" },
  { name: "the query's", target: "/v1/realtime?model=gpt%2F1&x=1", model: "gpt/1" },
  { name: "header before query", target: "/v1/realtime?model=q", headers: { "x-model": "h" }, model: "h" },
  { name: "none", target: "/v1/files?submodel=1", model: undefined },
];

for (const { name, model, ...facts } of models) {
  test(`readIntent() takes the model: ${name}`, () => assert.equal(intent(facts).model, model));
}

const streams: (Facts & { name: string; streaming: boolean })[] = [
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
    assert.equal(intent(facts).streaming, streaming));
}

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
const needs: (Facts & { name: string; needs: string[] })[] = [
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
  { name: "a form of text", headers: FORM, body: `${part("a", "b")}--xx--`, needs: [] },
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
    assert.deepEqual([...intent(facts).needs].sort(), wanted));
}

test("readIntent() parts path and query", () => {
  assert.equal(intent({ target: "/v1/a%2Fb?x=/y?z" }).path, "/v1/a%2Fb");
  assert.equal(intent({ target: "/v1" }).path, "/v1");
});

const peeks: [headers: Record<string, string>, wanted: boolean][] = [
  [JSON_TYPE, true],
  [{}, true],
  [FORM, true],
  [{ "content-type": "audio/wav" }, false],
  [{ "content-type": "text/plain" }, false],
  [{ ...JSON_TYPE, "content-encoding": "zstd" }, false],
];
for (const [headers, wanted] of peeks) {
  test(`wantsPeek() says ${wanted} to ${JSON.stringify(headers)}`, () =>
    assert.equal(wantsPeek(new Headers(headers)), wanted));
}

const TYPE = "multipart/form-data; boundary=xx";
const fields: { name: string; body: string; type?: string; value: string | undefined }[] = [
  { name: "first", body: `${part("model", "m")}--xx--`, value: "m" },
  { name: "behind a preamble", body: `hello\r\n${part("model", "m")}--xx--`, value: "m" },
  { name: "empty", body: `${part("model", "")}--xx--`, value: "" },
  { name: "in UTF-8", body: `${part("model", "é")}--xx--`, value: "é" },
  {
    name: "in a quoted boundary's form",
    type: 'multipart/form-data; charset=x; Boundary="xx"',
    body: form,
    value: "whisper",
  },
  {
    name: "without quotes and with more lines",
    body: "--xx\r\nX-A: b\r\ncontent-disposition: form-data;name=model\r\nA: b\r\n\r\nm\r\n--xx--",
    value: "m",
  },
  {
    name: "not a file of that name",
    body: `${part("model", "m", '; filename="a"')}--xx--`,
    value: undefined,
  },
  { name: "not a longer name", body: `${part("model2", "m")}--xx--`, value: undefined },
  { name: "not what is cut off", body: part("model", "m"), value: undefined },
  {
    name: "not of the text of a file",
    body: `${part("file", 'name="model"\r\n\r\nno', '; filename="a"')}${part("model", "m")}--xx--`,
    value: "m",
  },
  {
    name: "not a value too long for a name",
    body: `${part("model", "m".repeat(1_025))}--xx--`,
    value: undefined,
  },
  {
    name: "not behind a hundred parts",
    body: `${part("a", "b").repeat(100)}${part("model", "m")}--xx--`,
    value: undefined,
  },
  { name: "not without a boundary", type: "multipart/form-data", body: form, value: undefined },
];
for (const { name, body, type = TYPE, value } of fields) {
  test(`multipartField() finds a field: ${name}`, () =>
    assert.equal(multipartField(bytesOf(body), type, "model"), value));
}
