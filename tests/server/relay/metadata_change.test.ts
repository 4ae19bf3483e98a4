import assert from "node:assert/strict";
import { test } from "node:test";
import { metadataChange } from "../../../server/relay/metadata_change.ts";
import { MetadataEvents } from "../../../server/relay/metadata_events.ts";
import { MetadataJson } from "../../../server/relay/metadata_json.ts";
import type { OpenRouterMetadata } from "../../../server/relay/openrouter_metadata.ts";
import { bytesOf, changed } from "./body_changes.ts";

const METADATA: OpenRouterMetadata = {
  requested: "m",
  strategy: "direct",
  region: null,
  summary: "",
  attempt: 1,
  is_byok: false,
  endpoints: { total: 0, available: [] },
  attempts: [],
  generation_time: 1,
};

interface Asked {
  method?: string;
  path?: string;
  wish?: string | null;
  status?: number;
  headers?: Record<string, string>;
}

function changeFor({ method = "POST", path = "/v1/chat/completions", wish = "enabled", ...answer }: Asked) {
  const { status = 200, headers = { "Content-Type": "application/json" } } = answer;
  const request = {
    method,
    path,
    headers: new Headers(wish === null ? {} : { "X-OpenRouter-Metadata": wish }),
  };
  return metadataChange(request, { status, headers: Object.entries(headers) }, () => METADATA);
}

test("a JSON answer and an event stream get the metadata, on the documented routes", () => {
  const paths = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"];
  for (const path of [...paths, ...paths.map((path) => `/api${path}`)]) {
    assert.ok(changeFor({ path }) instanceof MetadataJson, path);
    const headers = { "content-type": "Text/Event-Stream; charset=utf-8", "content-encoding": "identity" };
    assert.ok(changeFor({ path, headers }) instanceof MetadataEvents, path);
  }
  assert.ok(changeFor({ wish: "Enabled" }));
  assert.equal(
    changed(changeFor({})!, [bytesOf('{"id":"x"}')]),
    `{"id":"x","openrouter_metadata":${JSON.stringify(METADATA)}}`,
  );
});

test("all other answers pass as they are", () => {
  const others: Asked[] = [
    { wish: null },
    ...["disabled", "", "true", "enable", "enabled, enabled"].map((wish) => ({ wish })),
    { method: "GET", path: "/v1/responses" },
    { path: "/v1/embeddings" },
    { path: "/v1/responses/resp_1/cancel" },
    { path: "/v1/xmessages" },
    { path: "/v1/messages/count_tokens" },
    { status: 404 },
    { headers: {} },
    { headers: { "content-type": "text/plain" } },
    { headers: { "content-type": "application/x-ndjson" } },
    { headers: { "content-type": "application/json", "content-encoding": "gzip" } },
  ];
  for (const asked of others) assert.equal(changeFor(asked), undefined, JSON.stringify(asked));
});
