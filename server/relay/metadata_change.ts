import { fieldValue } from "../../shared/headers.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import { isJson, mediaType } from "../media_type.ts";
import type { BodyChange } from "./body_change.ts";
import { MetadataEvents, type StreamApi } from "./metadata_events.ts";
import { MetadataJson } from "./metadata_json.ts";
import type { OpenRouterMetadata } from "./openrouter_metadata.ts";

/** What of a request says whether its client wants the metadata. */
export interface MetadataRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: FieldReader;
}

/**
 * How the body of an answer gets its `openrouter_metadata`; undefined: it passes as it is. Wanted by
 * `X-OpenRouter-Metadata: enabled`, on the routes that OpenRouter's documentation names, in answers of success.
 * A body in a Content-Encoding is not decoded. `metadata` is asked for once, when it is written.
 */
export function metadataChange(
  request: MetadataRequest,
  head: LinkResponseHead,
  metadata: () => OpenRouterMetadata,
): BodyChange | undefined {
  const api = wantedApi(request);
  const field = (name: string) => fieldValue(head.headers, name)?.trim().toLowerCase();
  if (api === undefined || head.status !== 200 || (field("content-encoding") ?? "identity") !== "identity") {
    return undefined;
  }
  const member = () => `"openrouter_metadata":${JSON.stringify(metadata())}`;
  const type = mediaType(field("content-type") ?? null);
  if (type === "text/event-stream") return new MetadataEvents(api, member);
  return isJson(type) ? new MetadataJson(member) : undefined;
}

const APIS: Readonly<Record<string, StreamApi>> = {
  "chat/completions": "chat",
  completions: "chat",
  responses: "responses",
  messages: "messages",
};

/** Which API is called, when its metadata is wanted. The header's value is compared without case, others mean no. */
function wantedApi({ method, path, headers }: MetadataRequest): StreamApi | undefined {
  if (method !== "POST" || headers.get("x-openrouter-metadata")?.toLowerCase() !== "enabled")
    return undefined;
  const route = /\/v1\/(chat\/completions|completions|responses|messages)$/.exec(path)?.[1];
  return route === undefined ? undefined : APIS[route];
}
