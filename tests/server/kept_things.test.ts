import assert from "node:assert/strict";
import { test } from "node:test";
import { givesId, keptIdsInPath } from "../../server/kept_things.ts";

const COLLECTIONS = [
  "/v1/responses",
  "/v1/conversations",
  "/v1/files",
  "/v1/batches",
  "/v1/messages/batches",
  "/v1/uploads",
  "/v1/vector_stores",
  "/v1/vector_stores/vs_1/files",
  "/v1/assistants",
  "/v1/threads",
  "/v1/containers",
  "/v1/videos",
  "/v1/fine_tuning/jobs",
  "/v1/files/",
  "/openai/files",
];

for (const path of COLLECTIONS) {
  test(`givesId() POST ${path}`, () => {
    assert.equal(givesId("POST", path), true);
    assert.equal(givesId("GET", path), false);
  });
}

for (const path of [
  "/v1/chat/completions",
  "/v1/responses/resp_1",
  "/v1/responses/resp_1/cancel",
  "/v1/myfiles",
  "/v1/jobs",
  "/v1/threads/runs",
]) {
  test(`givesId() not POST ${path}`, () => assert.equal(givesId("POST", path), false));
}

const NAMED: readonly (readonly [path: string, ids: readonly string[]])[] = [
  ["/v1/responses/resp_1", ["resp_1"]],
  ["/v1/responses/resp_1/", ["resp_1"]],
  ["/v1/responses/resp_1/cancel", ["resp_1"]],
  ["/v1/vector_stores/vs_1/files/file_1", ["vs_1", "file_1"]],
  ["/v1/messages/batches/batch_1/results", ["batch_1"]],
  ["/v1/fine_tuning/jobs/job_1/events", ["job_1"]],
  ["/v1/files/files", ["files"]],
  ["/v1/responses", []],
  ["/v1/responses/", []],
  ["/v1/jobs/job_1", []],
  ["/v1/myfiles/file_1", []],
  ["/v1/chat/completions", []],
  ["/", []],
];

for (const [path, ids] of NAMED) {
  test(`keptIdsInPath() ${path}`, () => assert.deepEqual(keptIdsInPath(path), ids));
}
