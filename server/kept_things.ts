/**
 * Collections of things that a backend keeps and gives an id: OpenAI's, and those that others have under the same
 * names (Anthropic's `/v1/messages/batches`, `/v1/files`). A request about such a thing is of use only where it is.
 */
const COLLECTIONS = [
  "responses",
  "conversations",
  "files",
  "batches",
  "uploads",
  "vector_stores",
  "assistants",
  "threads",
  "containers",
  "videos",
  "fine_tuning/jobs",
].join("|");

const COLLECTION_END = new RegExp(`/(?:${COLLECTIONS})/?$`);
const THING = new RegExp(`(?<=/(?:${COLLECTIONS})/)[^/]+`, "g");

/** Whether an answer to this request may name a new thing that its backend keeps. `path` without the query. */
export function givesId(method: string, path: string): boolean {
  return method === "POST" && COLLECTION_END.test(path);
}

/**
 * Ids of kept things that a path (without its query) names. The outermost first: of
 * `/v1/vector_stores/{store}/files/{file}` the backend looks for the store.
 */
export function keptIdsInPath(path: string): string[] {
  return path.match(THING) ?? [];
}
