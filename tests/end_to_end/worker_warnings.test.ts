import assert from "node:assert/strict";
import { test } from "node:test";
import { startRelay } from "../support/admin_view.ts";
import { WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";

const WARNING = /Every path of the backend is offered/;

test("a worker that offers every path warns of the backend's management routes, one with prefixes does not", async () => {
  await using backend = await RawBackend.start();
  await using relay = await startRelay();
  await using open = await WorkerProgram.start(relay.url, backend.url, ["--models=m"]);
  await open.says(WARNING);
  await using narrow = await WorkerProgram.start(relay.url, backend.url, [
    "--models=m",
    "--endpoint-prefixes=/v1",
  ]);
  // It warns before it connects, if it does.
  assert.doesNotMatch(narrow.stderr, WARNING);
});
