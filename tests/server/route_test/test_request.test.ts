import assert from "node:assert/strict";
import { test } from "node:test";
import { requestSchema } from "../../../server/route_test/scenario_schema.ts";
import { RequestMistake, testRequest } from "../../../server/route_test/test_request.ts";

type Table = Parameters<typeof requestSchema.parse>[0] & object;

const made = (table: Table) => testRequest(requestSchema.parse({ path: "/v1/x", ...table }));

/** As one would see it on the wire, but for the length. */
function seen(table: Table): unknown[] {
  const { method, headers, body } = made(table);
  const fields = [...headers].filter(([name]) => name !== "content-length").map((pair) => pair.join(": "));
  return [method, ...fields, ...(body ? [new TextDecoder().decode(body)] : [])];
}

const JSON_TYPE = "content-type: application/json";

const MADE: [name: string, table: Table, sent: unknown[]][] = [
  ["nothing", {}, ["POST"]],
  ["a method in small letters", { method: "patch" }, ["PATCH"]],
  ["a model of a method with a body", { model: "m" }, ["POST", JSON_TYPE, '{"model":"m"}']],
  ["a model of one without", { method: "GET", model: "m" }, ["GET", "x-model: m"]],
  ["a model beside a body", { model: "m", body: { a: 1 } }, ["POST", JSON_TYPE, "x-model: m", '{"a":1}']],
  [
    "all three in one body",
    { model: "m", session: "s", provider: { zdr: true } },
    ["POST", JSON_TYPE, '{"model":"m","provider":{"zdr":true},"session_id":"s"}'],
  ],
  [
    "all three as headers",
    { method: "DELETE", model: "m", session: "s", provider: { only: ["ü"] } },
    ["DELETE", "x-model: m", 'x-provider: {"only":["\\u00fc"]}', "x-session-id: s"],
  ],
  [
    "names in a body are `only`",
    { provider: "a, b" },
    ["POST", JSON_TYPE, '{"provider":{"only":["a","b"]}}'],
  ],
  ["names in a header stay as they are", { method: "GET", provider: "a, b" }, ["GET", "x-provider: a, b"]],
  [
    "a body's own names are the backend's",
    { provider: "a", body: { provider: "b" } },
    [...["POST", JSON_TYPE, "x-provider: a", '{"provider":"b"}']],
  ],
  ["a text that is JSON", { body_text: "[1]" }, ["POST", JSON_TYPE, "[1]"]],
  [
    "a type of its own",
    { headers: { "Content-Type": "text/plain" }, body_text: "x" },
    [...["POST", "content-type: text/plain", "x"]],
  ],
  ["a header several times", { headers: { "X-A": ["1", "2"] } }, ["POST", "x-a: 1, 2"]],
];

for (const [name, table, sent] of MADE) {
  test(`testRequest() sends ${name}`, () => assert.deepEqual(seen(table), sent));
}

test("testRequest() announces a body, as clients do", () => {
  assert.equal(
    made({ body_base64: "AAEC", headers: { "content-type": "image/png" } }).headers.get("content-length"),
    "3",
  );
  assert.equal(made({}).headers.get("content-length"), null);
});

test("testRequest() resolves dot segments and keeps escapes and the query, as the listener does", () => {
  assert.equal(made({ path: "/v1/../v2/./a%2Fb?x=/../y#z" }).target, "/v2/a%2Fb?x=/../y");
});

const WRONG: [name: string, table: Table, part: string, problem: RegExp][] = [
  ["a method with a space", { method: "A B" }, "method", /not a method/],
  ["a whole URL", { path: "http://relay/v1" }, "path", /not a path/],
  ["a header name with a space", { headers: { "a b": "c" } }, "headers", /not a header field/],
  ["a header value with a line break", { headers: { a: "b\r\nc: d" } }, "headers", /not a header field/],
  ["a model that fits no header", { method: "GET", model: "🦙" }, "model", /not a header field/],
  ["a body that is not JSON", { body_text: "{" }, "body_text", /not JSON/],
  [
    "one that says it is",
    { headers: { "content-type": "application/json" }, body_text: "" },
    "body_text",
    /not JSON/,
  ],
  ["bytes that are no JSON", { body_base64: "/w==" }, "body_base64", /not JSON/],
  ["two bodies", { body: {}, body_text: "{}" }, "body_text", /there is body too/],
  ["a model in the body too", { model: "m", body: { model: "n" } }, "model", /the body has model/],
  ["a model in a header too", { model: "m", headers: { "X-Model": "n" } }, "model", /the header x-model/],
  [
    "preferences in the body too",
    { provider: "a", body: { provider: {} } },
    "provider",
    /the body has provider/,
  ],
  [
    "a session in the body too",
    { session: "a", body: { session_id: "b" } },
    "session",
    /the body has session_id/,
  ],
];

for (const [name, table, part, problem] of WRONG) {
  test(`testRequest() refuses ${name}`, () => {
    assert.throws(
      () => made(table),
      (error) => error instanceof RequestMistake && error.part === part && problem.test(error.problem),
    );
  });
}
