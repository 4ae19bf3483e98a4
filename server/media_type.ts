/** `type/subtype` of a `Content-Type`, in lower case; "" for none. */
export function mediaType(contentType: string | null): string {
  if (contentType === null) return "";
  const end = contentType.indexOf(";");
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

export function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json") || type === "text/json";
}

/** Media types whose bodies are text, though their names do not begin with `text/`. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  "application/x-www-form-urlencoded",
  "application/x-ndjson",
  "application/jsonl",
  "application/xml",
  "application/javascript",
  "application/yaml",
]);

export function isText(type: string): boolean {
  return isJson(type) || type.startsWith("text/") || type.endsWith("+xml") || TEXT_TYPES.has(type);
}

/** Types that are bytes whatever is in them. Not `application/*` as a whole: much of that is text. */
export function isBinary(type: string): boolean {
  const kind = type.slice(0, type.indexOf("/"));
  if (kind === "audio" || kind === "image" || kind === "video" || kind === "font") return true;
  return type === "application/octet-stream" || type === "application/binary" || type === "application/zip";
}

/** Whether a `Content-Encoding` names a coding: the bytes are not those of the media type then. */
export function isCoded(contentEncoding: string | null | undefined): boolean {
  return Boolean(contentEncoding) && contentEncoding!.toLowerCase() !== "identity";
}
