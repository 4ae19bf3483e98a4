import { RelayFailure } from "../../shared/failures.ts";
import { quote } from "../../shared/printable.ts";
import { type JsonMembers, OTHERS_MAX } from "../json_members.ts";
import { announcesBody } from "../request_headers.ts";
import { isObject, readPreferences } from "../routing/preferences.ts";
import type { Preferences } from "../routing/types.ts";
import { bodySyntax, type RequestFacts } from "./request_facts.ts";

export interface AskedPreferences {
  readonly preferences?: Preferences;
  /** Parameters that the body uses, when the preferences want them supported. */
  readonly parameters?: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * The body's `provider` when it is an object, else the header `X-Provider`. A body that is only there in part may say
 * something else further on: then the header goes first.
 * @throws RelayFailure `invalid_preference`
 */
export function askedPreferences(facts: RequestFacts, members: JsonMembers | undefined): AskedPreferences {
  const inBody = members?.value("provider");
  const object = isObject(inBody) ? inBody : undefined;
  const header = facts.headers.get("x-provider");
  const asked = facts.whole ? (object ?? headerPreferences(header)) : (headerPreferences(header) ?? object);
  const unread = facts.whole ? undefined : unreadBytes(facts);
  if (!asked) {
    const missed = unread !== undefined && inBody === undefined;
    return { warnings: missed ? [`provider ${unread}: X-Provider can carry it`] : NO_WARNINGS };
  }
  const { preferences, warnings } = readPreferences(asked);
  if (!preferences.requireParameters) return { preferences, warnings };
  if (unread !== undefined) warnings.push(`parameters for provider.require_parameters ${unread}`);
  return { preferences, parameters: members ? parametersOf(members) : NO_PARAMETERS, warnings };
}

const NO_WARNINGS: readonly string[] = [];
const NO_PARAMETERS: readonly string[] = [];

/** A JSON object; or names, which are meant for `only`. */
function headerPreferences(header: string | null): Readonly<Record<string, unknown>> | undefined {
  const text = header?.trim() ?? "";
  if (/^[[{]/.test(text)) return parsedHeader(text);
  const only = text.split(",").map((name) => name.trim());
  return /[^\s,]/.test(text) ? { only: only.filter((name) => name !== "") } : undefined;
}

function parsedHeader(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new RelayFailure("invalid_preference", {
    detail: `X-Provider must be a JSON object, or names with commas between them, found ${quote(text)}`,
    param: "X-Provider",
  });
}

/** What a warning says of a JSON body that goes on behind what was read of it; undefined for any other. */
function unreadBytes({ headers, peeked }: RequestFacts): string | undefined {
  if (bodySyntax(headers) !== "json" || !announcesBody(headers)) return undefined;
  return `was looked for in the first ${peeked?.length ?? 0} bytes of the body only`;
}

/**
 * Members of a request body that are no parameters: they say what is asked about, who asks, or how the answer
 * travels, not how it is made. (Those that routing itself reads are none either.) Any other may change the answer,
 * and a worker that ignores it would give the wrong one.
 */
const NOT_PARAMETERS: ReadonlySet<string> = new Set([
  // What it is about.
  ...["messages", "prompt", "input", "instructions", "system", "query", "documents", "content"],
  // Who asks, and what for.
  ...["user", "metadata", "safety_identifier", "prompt_cache_key"],
  // How it travels.
  ...["stream_options", "service_tier", "route"],
]);

/** A name is only compared with what workers declare, which is shorter. */
const PARAMETER_MAX_CHARS = 256;

function parametersOf(members: JsonMembers): readonly string[] {
  const names = members.otherNames();
  if (!names) {
    throw new RelayFailure("invalid_preference", {
      detail: `provider.require_parameters must come with at most ${OTHERS_MAX} parameters, found more`,
      param: "provider.require_parameters",
    });
  }
  return names.filter((name) => !NOT_PARAMETERS.has(name)).map((name) => name.slice(0, PARAMETER_MAX_CHARS));
}
