import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, intentOf, JSON_TYPE } from "./set_up.ts";

const limit = "x".repeat(256);
const tooLong = `${limit}x`;
const shown = `"${"x".repeat(79)}…`;
const notUsed = "must be a text of at most 256 characters and was not used, found";

const sessions: (Asked & { name: string; session: string | undefined; warnings?: readonly string[] })[] = [
  { name: "the body's", headers: JSON_TYPE, body: '{"session_id":"s"}', session: "s" },
  { name: "the header's", headers: { "x-session-id": "h" }, session: "h" },
  {
    name: "the body's before the header's",
    headers: { ...JSON_TYPE, "x-session-id": "h" },
    body: '{"session_id":"s"}',
    session: "s",
  },
  {
    name: "the header's when the body's is empty",
    headers: { ...JSON_TYPE, "x-session-id": "h" },
    body: '{"session_id":""}',
    session: "h",
  },
  { name: "null is none", headers: JSON_TYPE, body: '{"session_id":null}', session: undefined },
  { name: "at the limit", headers: JSON_TYPE, body: `{"session_id":"${limit}"}`, session: limit },
  {
    name: "too long for one",
    headers: { ...JSON_TYPE, "x-session-id": "h" },
    body: `{"session_id":"${tooLong}"}`,
    session: "h",
    warnings: [`session_id ${notUsed} ${shown}`],
  },
  {
    name: "a header too long for one",
    headers: { "x-session-id": tooLong },
    session: undefined,
    warnings: [`X-Session-Id ${notUsed} ${shown}`],
  },
  ...["7", "false", "{}", "[]"].map((value) => ({
    name: `not ${value}`,
    headers: JSON_TYPE,
    body: `{"session_id":${value}}`,
    session: undefined,
    warnings: [`session_id ${notUsed} a value of type ${typeof JSON.parse(value)}`],
  })),
  { name: "none", headers: JSON_TYPE, body: "{}", session: undefined },
];
for (const { name, session, warnings = [], ...asked } of sessions) {
  test(`readIntent() takes the session: ${name}`, () => {
    const intent = intentOf(asked);
    assert.equal(intent.request.session, session);
    assert.deepEqual(intent.warnings, warnings);
  });
}

const ids: (Asked & { name: string; ids: readonly string[] | undefined })[] = [
  { name: "previous_response_id", headers: JSON_TYPE, body: '{"previous_response_id":"r1"}', ids: ["r1"] },
  { name: "conversation", headers: JSON_TYPE, body: '{"conversation":"c1"}', ids: ["c1"] },
  { name: "conversation.id", headers: JSON_TYPE, body: '{"conversation":{"id":"c1"}}', ids: ["c1"] },
  { name: "input_file_id", headers: JSON_TYPE, body: '{"input_file_id":"f1"}', ids: ["f1"] },
  {
    name: "the path's first",
    target: "/v1/threads/t1/runs",
    headers: JSON_TYPE,
    body: '{"input_file_id":"f","conversation":"c","previous_response_id":"r"}',
    ids: ["t1", "r", "c", "f"],
  },
  {
    name: "none of another kind",
    headers: JSON_TYPE,
    body: '{"previous_response_id":7,"conversation":{"id":null},"input_file_id":""}',
    ids: undefined,
  },
  {
    name: "none too long",
    headers: JSON_TYPE,
    body: `{"previous_response_id":"${tooLong}"}`,
    ids: undefined,
  },
  { name: "at the limit", headers: JSON_TYPE, body: `{"conversation":"${limit}"}`, ids: [limit] },
  { name: "of a response", method: "GET", target: "/v1/responses/resp_1", ids: ["resp_1"] },
  {
    name: "of a file's content",
    method: "GET",
    target: "/v1/files/file-1/content?x=/files/y",
    ids: ["file-1"],
  },
  { name: "of a fine-tuning job", method: "GET", target: "/v1/fine_tuning/jobs/j1/events", ids: ["j1"] },
  { name: "of a file in a store", method: "GET", target: "/v1/vector_stores/v1/files/f1", ids: ["v1", "f1"] },
  { name: "percent-decoded", method: "GET", target: "/v1/files/a%2Fb%20c", ids: ["a/b c"] },
  { name: "as it is when it cannot be decoded", method: "GET", target: "/v1/files/a%zz", ids: ["a%zz"] },
  { name: "none of a path too long", method: "GET", target: `/v1/files/${tooLong}`, ids: undefined },
  { name: "none of a collection", target: "/v1/files", ids: undefined },
  { name: "none of another path", target: "/v1/chat/completions", ids: undefined },
];
for (const { name, ids: wanted, ...asked } of ids) {
  test(`readIntent() takes ids of what is kept: ${name}`, () =>
    assert.deepEqual(intentOf(asked).request.keptIds, wanted));
}
