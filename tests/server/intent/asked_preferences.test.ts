import assert from "node:assert/strict";
import { test } from "node:test";
import { RelayFailure } from "../../../shared/failures.ts";
import { type Asked, FORM_TYPE, intentOf, JSON_TYPE, part } from "./set_up.ts";

const long = `"${"x".repeat(5_000)}"`;
const byHeader = (header: string, more: Record<string, string> = {}) => ({ "x-provider": header, ...more });

const only: (Asked & { name: string; only: readonly string[] | undefined })[] = [
  { name: "the body's object", headers: JSON_TYPE, body: '{"provider":{"only":["a"]}}', only: ["a"] },
  { name: "a long body's", headers: JSON_TYPE, body: `{"a":${long},"provider":{"only":["a"]}}`, only: ["a"] },
  {
    name: "the last of two",
    headers: JSON_TYPE,
    body: '{"provider":{"only":["a"]},"provider":{"only":["b"]}}',
    only: ["b"],
  },
  {
    name: "the body's before the header's",
    headers: byHeader("h", JSON_TYPE),
    body: '{"provider":{"only":["a"]}}',
    only: ["a"],
  },
  ...['"text"', '["a"]', "7", "true", "null"].map((value) => ({
    name: `not the body's ${value}, which is its backend's`,
    headers: JSON_TYPE,
    body: `{"provider":${value}}`,
    only: undefined,
  })),
  ...['"text"', '["a"]', "null"].map((value) => ({
    name: `the header's beside the body's ${value}`,
    headers: byHeader("h", JSON_TYPE),
    body: `{"provider":${value}}`,
    only: ["h"],
  })),
  { name: "a header's object", headers: byHeader('{"only":["h"]}'), only: ["h"] },
  { name: "a header's object among spaces", headers: byHeader('  {"only":["h"]} '), only: ["h"] },
  { name: "a header's names", headers: byHeader("home, lab/4090 ,,home"), only: ["home", "lab/4090"] },
  { name: "a header's name", headers: byHeader("home"), only: ["home"] },
  { name: "an empty header is none", headers: byHeader(""), only: undefined },
  { name: "a header of commas is none", headers: byHeader(" , ,"), only: undefined },
  { name: "a header of a GET", method: "GET", headers: byHeader("h"), only: ["h"] },
  {
    name: "the header's beside a form",
    headers: byHeader("h", FORM_TYPE),
    body: `${part("provider", '{"only":["a"]}')}--xx--`,
    only: ["h"],
  },
  {
    name: "not of an encoded body",
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
    body: '{"provider":{"only":["a"]}}',
    only: undefined,
  },
  {
    name: "the header's before a body that goes on",
    headers: byHeader("h", JSON_TYPE),
    body: '{"provider":{"only":["a"]},"b',
    whole: false,
    only: ["h"],
  },
  {
    name: "the beginning's of a body that goes on",
    headers: JSON_TYPE,
    body: '{"provider":{"only":["a"]},"b',
    whole: false,
    only: ["a"],
  },
  { name: "none", headers: JSON_TYPE, body: "{}", only: undefined },
];
for (const { name, only: wanted, ...asked } of only) {
  test(`readIntent() takes preferences: ${name}`, () => {
    const { preferences } = intentOf(asked).request;
    assert.deepEqual(preferences?.only, wanted);
    assert.equal(preferences === undefined, wanted === undefined);
  });
}

const refusals: (Asked & { name: string; param: string; message: RegExp })[] = [
  ...['{"only":["a"]', "{only:[]}", "{", '{"a":1},{"b":2}', '["a"]', "["].map((header) => ({
    name: `X-Provider: ${header}`,
    headers: byHeader(header),
    param: "X-Provider",
    message: /X-Provider must be a JSON object, or names with commas between them, found /,
  })),
  {
    name: "a wrong field in the header",
    headers: byHeader('{"only":"a"}'),
    param: "provider.only",
    message: /provider\.only must be a list of names, found "a"$/,
  },
  {
    name: "a wrong field in the body",
    headers: JSON_TYPE,
    body: '{"provider":{"zdr":"yes"}}',
    param: "provider.zdr",
    message: /provider\.zdr must be true or false, found "yes"$/,
  },
  {
    name: "too many names in the header",
    headers: byHeader(Array.from({ length: 65 }, (_, at) => `p${at}`).join()),
    param: "provider.only",
    message: /at most 64 names, found 65$/,
  },
  {
    name: "more parameters than can be looked at",
    headers: byHeader('{"require_parameters":true}', JSON_TYPE),
    body: JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`p${at}`, null]))),
    param: "provider.require_parameters",
    message: /at most 256 parameters, found more$/,
  },
];
for (const { name, param, message, ...asked } of refusals) {
  test(`readIntent() refuses preferences: ${name}`, () => {
    assert.throws(
      () => intentOf(asked),
      (error) => {
        assert.ok(error instanceof RelayFailure);
        assert.deepEqual([error.code, error.status, error.options.param], ["invalid_preference", 400, param]);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

const chunked = { ...JSON_TYPE, "transfer-encoding": "chunked" };
const unread = "was looked for in the first 11 bytes of the body only";
const warned: (Asked & { name: string; warnings: readonly string[] })[] = [
  {
    name: "a misspelt field",
    headers: JSON_TYPE,
    body: '{"provider":{"onyl":["a"]}}',
    warnings: ['provider has an unknown member "onyl": did you mean "only"?'],
  },
  {
    name: "preferences may follow",
    headers: chunked,
    body: '{"messages"',
    whole: false,
    warnings: [`provider ${unread}: X-Provider can carry it`],
  },
  {
    name: "not when the header has them",
    headers: byHeader("h", chunked),
    body: "{",
    whole: false,
    warnings: [],
  },
  {
    name: "not when they were there",
    headers: chunked,
    body: '{"provider":{},"b',
    whole: false,
    warnings: [],
  },
  {
    name: "not when `provider` is the backend's",
    headers: chunked,
    body: '{"provider":"x","b',
    whole: false,
    warnings: [],
  },
  {
    name: "not of a body that is no JSON",
    headers: { ...chunked, "content-type": "audio/wav" },
    whole: false,
    warnings: [],
  },
  { name: "not without a body", method: "GET", headers: JSON_TYPE, whole: false, warnings: [] },
  {
    name: "parameters may follow",
    headers: byHeader('{"require_parameters":true}', chunked),
    body: '{"messages"',
    whole: false,
    warnings: [`parameters for provider.require_parameters ${unread}`],
  },
];
for (const { name, warnings, ...asked } of warned) {
  test(`readIntent() warns: ${name}`, () => assert.deepEqual(intentOf(asked).warnings, warnings));
}

const REQUIRE = '"provider":{"require_parameters":true}';
const parameters: { name: string; body: string; parameters: readonly string[] | undefined }[] = [
  {
    name: "members that change the answer",
    body: `{"model":"m","messages":[],"tools":[],${REQUIRE},"stream":true,"temperature":0,"stream_options":{}}`,
    parameters: ["tools", "temperature"],
  },
  {
    name: "none of those that do not",
    body: `{${REQUIRE},${[
      ...["model", "models", "messages", "prompt", "input", "instructions", "system", "query", "documents"],
      ...["content", "session_id", "stream", "stream_options", "metadata", "user", "safety_identifier"],
      ...["prompt_cache_key", "service_tier", "route", "store", "background", "previous_response_id"],
      ...["conversation", "input_file_id"],
    ]
      .map((name) => `"${name}":[]`)
      .join()}}`,
    parameters: [],
  },
  { name: "nothing that is null", body: `{${REQUIRE},"tools":null,"seed":1}`, parameters: ["seed"] },
  {
    name: "the last of two",
    body: `{"seed":1,"top_k":null,"seed":null,"top_k":1,${REQUIRE}}`,
    parameters: ["top_k"],
  },
  { name: "names with escapes", body: `{"\\u0074ools":[],"é":1,${REQUIRE}}`, parameters: ["tools", "é"] },
  { name: "not what is further in", body: `{"tools":{"seed":1},${REQUIRE}}`, parameters: ["tools"] },
  {
    name: "long names shortened",
    body: `{"${"p".repeat(300)}":1,${REQUIRE}}`,
    parameters: ["p".repeat(256)],
  },
  {
    name: "nothing when nobody asks",
    body: '{"tools":[],"provider":{"require_parameters":false}}',
    parameters: undefined,
  },
  { name: "nothing without preferences", body: '{"tools":[]}', parameters: undefined },
];
for (const { name, body, parameters: wanted } of parameters) {
  test(`readIntent() takes parameters: ${name}`, () => {
    const longer = body.replace("{", `{"model":"m","messages":${long},`);
    for (const text of [body, longer]) {
      assert.deepEqual(intentOf({ headers: JSON_TYPE, body: text }).request.parameters, wanted);
    }
  });
}

test("readIntent() takes no parameters of a body that is no JSON", () => {
  const headers = byHeader('{"require_parameters":true}', FORM_TYPE);
  const body = `${part("temperature", "0")}--xx--`;
  assert.deepEqual(intentOf({ headers, body }).request.parameters, []);
});
