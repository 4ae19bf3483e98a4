import { z } from "zod";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { nearest } from "../../shared/command_line/nearest.ts";
import { quote } from "../../shared/printable.ts";
import { parseToml } from "../../shared/settings/settings_file.ts";

/** What a key may be good for: requests, seeing the routing decision, naming an endpoint. */
export const SCOPES = ["inference", "explain", "override"] as const;
export type Scope = (typeof SCOPES)[number];

export interface ClientKey {
  /** For the log. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The names of the override endpoints that the scope `override` is good for; undefined: all. */
  readonly overrideEndpoints?: ReadonlySet<string> | undefined;
}

/** Keys by the SHA-256 of what clients send, in lower-case hex. */
export type ClientKeyMap = ReadonlyMap<string, ClientKey>;

const entrySchema = z.strictObject({
  name: z.string().regex(/^[^\p{Cc}]{1,128}$/u, "name must be 1 to 128 characters"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, "sha256 must be 64 hexadecimal digits"),
  scopes: z.array(z.string()).default(["inference"]),
  override_endpoints: z.array(z.string().min(1)).min(1).optional(),
});
const fileSchema = z.strictObject({ key: z.array(entrySchema).default([]) });

const HINT =
  "an entry is [[key]] with name, sha256, scopes and override_endpoints; `signalbox keys hash` prints one";

/** The keys in a TOML text that came from `path`. @throws CommandError naming the entry that is wrong */
export function parseKeys(path: string, text: string): ClientKeyMap {
  const { data, error } = fileSchema.safeParse(parseToml(path, text));
  if (!data) throw new CommandError(`Cannot read ${path}: ${issueText(error.issues[0]!)}`, HINT);
  const keys = new Map<string, ClientKey>();
  for (const { name, sha256, scopes, override_endpoints: endpoints } of data.key) {
    const hash = sha256.toLowerCase();
    const other = keys.get(hash)?.name;
    if (other !== undefined) {
      throw new CommandError(`Cannot read ${path}: ${quote(other)} and ${quote(name)} are the same key`);
    }
    keys.set(hash, {
      name,
      scopes: new Set(scopes.map((scope) => readScope(path, scope))),
      overrideEndpoints: endpoints && new Set(endpoints),
    });
  }
  return keys;
}

function readScope(path: string, scope: string): Scope {
  const known = SCOPES.find((candidate) => candidate === scope);
  if (known) return known;
  const meant = nearest(scope, SCOPES);
  throw new CommandError(
    `Cannot read ${path}: there is no scope ${quote(scope)}`,
    meant ? `did you mean ${meant}?` : `the scopes are ${SCOPES.join(", ")}`,
  );
}

/** `key 2: sha256 must be …`: zod counts from 0, people from 1. */
function issueText({ path, message }: z.core.$ZodIssue): string {
  const place = path.map((part) => (typeof part === "number" ? part + 1 : String(part))).join(" ");
  return place ? `${place}: ${message}` : message;
}
