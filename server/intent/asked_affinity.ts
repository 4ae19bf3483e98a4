import { quote } from "../../shared/printable.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { JsonMembers } from "../json_members.ts";
import { keptIdsInPath } from "../kept_things.ts";
import { isObject } from "../routing/preferences.ts";
import { given } from "./request_facts.ts";

/** What a request says of those that came before it. */
export interface AskedAffinity {
  readonly session: string | undefined;
  readonly keptIds: readonly string[];
  readonly warnings: readonly string[];
}

/** OpenRouter's limit for a session; the ids that backends make up are far shorter. */
const ID_MAX_CHARS = 256;

export function askedAffinity(
  path: string,
  members: JsonMembers | undefined,
  headers: FieldReader,
): AskedAffinity {
  const inBody = members?.value("session_id") ?? undefined;
  const inHeader = headers.get("x-session-id") ?? undefined;
  const body = isId(inBody) ? given(inBody) : undefined;
  const session = body ?? (isId(inHeader) ? given(inHeader) : undefined);
  const wrongBody = wrongSession("session_id", inBody);
  const wrongHeader = body === undefined ? wrongSession("X-Session-Id", inHeader) : NONE;
  const warnings = wrongBody.length === 0 ? wrongHeader : [...wrongBody, ...wrongHeader];
  return { session, keptIds: keptIdsOf(path, members), warnings };
}

/** For what is seldom there. */
const NONE: readonly string[] = [];

function wrongSession(from: string, value: unknown): readonly string[] {
  if (value === undefined || isId(value)) return NONE;
  const found = typeof value === "string" ? quote(value) : `a value of type ${typeof value}`;
  return [`${from} must be a text of at most ${ID_MAX_CHARS} characters and was not used, found ${found}`];
}

/** The path names what the request is about, the body what it goes on from. */
function keptIdsOf(path: string, members: JsonMembers | undefined): readonly string[] {
  const inPath = keptIdsInPath(path);
  const conversation = members?.value("conversation");
  const previous = members?.value("previous_response_id");
  const file = members?.value("input_file_id");
  if (inPath.length === 0 && (conversation ?? previous ?? file) === undefined) return NONE;
  const inBody = [previous, isObject(conversation) ? conversation.id : conversation, file];
  return [...inPath.map(decoded), ...inBody].filter(isId).filter((id) => id !== "");
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value.length <= ID_MAX_CHARS;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
