import { quote } from "../../shared/printable.ts";
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
  headers: Headers,
): AskedAffinity {
  const warnings: string[] = [];
  const session =
    sessionName("session_id", members?.value("session_id"), warnings) ??
    sessionName("X-Session-Id", headers.get("x-session-id"), warnings);
  return { session, keptIds: keptIdsOf(path, members), warnings };
}

function sessionName(from: string, value: unknown, warnings: string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (isId(value)) return given(value);
  const found = typeof value === "string" ? quote(value) : `a value of type ${typeof value}`;
  warnings.push(
    `${from} must be a text of at most ${ID_MAX_CHARS} characters and was not used, found ${found}`,
  );
  return undefined;
}

/** The path names what the request is about, the body what it goes on from. */
function keptIdsOf(path: string, members: JsonMembers | undefined): readonly string[] {
  const ids: unknown[] = keptIdsInPath(path).map(decoded);
  if (members) {
    const conversation = members.value("conversation");
    ids.push(
      members.value("previous_response_id"),
      isObject(conversation) ? conversation.id : conversation,
      members.value("input_file_id"),
    );
  }
  return ids.filter(isId).filter((id) => id !== "");
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
