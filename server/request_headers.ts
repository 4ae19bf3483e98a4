import type { FieldReader } from "../shared/received_fields.ts";
import { ENDPOINT_HEADER } from "./routing/override.ts";

/** A body follows. Of a GET or HEAD the runtime drops it without a word. */
export function announcesBody(headers: FieldReader): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

export function asksForWebSocket(headers: FieldReader): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** It is meant for an endpoint of its own. */
export function namesEndpoint(headers: FieldReader): boolean {
  return headers.has(ENDPOINT_HEADER);
}
