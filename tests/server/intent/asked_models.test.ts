import assert from "node:assert/strict";
import { test } from "node:test";
import { RelayFailure } from "../../../shared/failures.ts";
import { type Asked, FORM_TYPE, intentOf, JSON_TYPE, part } from "./set_up.ts";

const form = `${part("file", "RIFF\0", '; filename="a.wav"')}${part("model", "whisper")}--xx--\r\n`;
const padding = " ".repeat(10_000);

const models: (Asked & { name: string; model: string | undefined; from?: string })[] = [
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
  { name: "the form's", headers: FORM_TYPE, body: form, model: "whisper" },
  { name: "header before form", headers: { ...FORM_TYPE, "x-model": "h" }, body: form, model: "h" },
  { name: "the query's", target: "/v1/realtime?model=gpt%2F1&x=1", model: "gpt/1" },
  { name: "header before query", target: "/v1/realtime?model=q", headers: { "x-model": "h" }, model: "h" },
  { name: "none", target: "/v1/files?submodel=1", model: undefined },
];

for (const { name, model, ...facts } of models) {
  test(`readIntent() takes the model: ${name}`, () => assert.equal(intentOf(facts).request.model, model));
}

const sources: (Asked & { from: string })[] = [
  { from: "body", headers: { ...JSON_TYPE, "x-model": "h" }, body: '{"model":"m"}' },
  { from: "body", headers: JSON_TYPE, body: '{"models":["m"]}' },
  { from: "header", headers: { ...FORM_TYPE, "x-model": "h" }, body: form },
  { from: "header", headers: { ...JSON_TYPE, "x-model": "h" }, body: '{"model":"m",', whole: false },
  { from: "form", target: "/v1/audio/transcriptions?model=q", headers: FORM_TYPE, body: form },
  { from: "query", target: "/v1/realtime?model=q" },
  { from: "none" },
];
for (const { from, ...asked } of sources) {
  test(`readIntent() says where the model stands: ${from}`, () =>
    assert.equal(intentOf(asked).modelIn, from));
}

const JSON_AND_HEADER = { ...JSON_TYPE, "x-model": "h" };
const lists: { name: string; headers?: Record<string, string>; body: string; is: [string?, ...string[]] }[] =
  [
    { name: "behind the model", body: '{"model":"a","models":["b","c"]}', is: ["a", "b", "c"] },
    { name: "alone", body: '{"models":["b","c"]}', is: ["b", "c"] },
    { name: "behind a header", headers: JSON_AND_HEADER, body: '{"models":["b"]}', is: ["h", "b"] },
    {
      name: "without the model and repetitions",
      body: '{"model":"a","models":["b","a","b"]}',
      is: ["a", "b"],
    },
    { name: "repeated alone", body: '{"models":["b","b","c"]}', is: ["b", "c"] },
    { name: "with suffixes", body: '{"model":"a:nitro","models":["a"]}', is: ["a:nitro", "a"] },
    { name: "null is none", body: '{"model":"a","models":null}', is: ["a"] },
    { name: "an empty list is none", body: '{"models":[]}', is: [] },
    { name: "of a long body", body: `{"a":1,${padding}"models":["b"]}`, is: ["b"] },
    { name: "the last of two lists", body: '{"models":["b"],"models":["c"]}', is: ["c"] },
  ];
for (const { name, headers = JSON_TYPE, body, is } of lists) {
  test(`readIntent() takes fallback models: ${name}`, () => {
    const { model, models } = intentOf({ headers, body }).request;
    assert.deepEqual([model, ...(models ?? [])], is.length === 0 ? [undefined] : is);
    // A list that names nobody else is still a list: the client named models.
    assert.equal(models !== undefined, /"models":\[[^\]]/.test(body));
  });
}

const listed = (names: readonly unknown[]) => JSON.stringify({ models: names });
const wrongLists: { body: string; found: string }[] = [
  { body: '{"models":"a"}', found: "string" },
  { body: '{"models":{"a":1}}', found: "object" },
  { body: '{"models":false}', found: "boolean" },
  { body: '{"models":["a",7]}', found: "an item that is no text" },
  { body: '{"models":["a",null]}', found: "an item that is no text" },
  { body: '{"models":[""]}', found: '""' },
  { body: listed(["m".repeat(257)]), found: `"${"m".repeat(79)}…` },
  { body: listed(Array.from({ length: 65 }, (_, at) => `m${at}`)), found: "65 of them" },
];
for (const { body, found } of wrongLists) {
  test(`readIntent() refuses models: ${body.slice(0, 40)}`, () => {
    assert.throws(
      () => intentOf({ headers: JSON_TYPE, body }),
      (error) => {
        assert.ok(error instanceof RelayFailure);
        assert.equal(error.code, "invalid_preference");
        assert.equal(error.options.param, "models");
        assert.ok(error.message.endsWith(`found ${found}`), error.message);
        return true;
      },
    );
  });
}

test("readIntent() takes 64 models of 256 characters", () => {
  const names = Array.from({ length: 64 }, (_, at) => `${at}`.padEnd(256, "m"));
  const { model, models } = intentOf({ headers: JSON_TYPE, body: listed(names) }).request;
  assert.deepEqual([model, ...models!], names);
});
