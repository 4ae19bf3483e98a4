import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { warningLine } from "../../shared/command_line/report.ts";
import { field, Misread } from "../../shared/settings/field.ts";
import { toToml } from "../../shared/settings/print.ts";
import { flag, listOf, name } from "../../shared/settings/texts.ts";
import { digest } from "./digest.ts";
import { SCOPES } from "./keys_file.ts";

/** 192 bits: nobody guesses it, and it is as short as keys of this kind are. */
const RANDOM_BYTES = 24;
/** Shorter ones may be words. */
const SHORTEST_SAFE_KEY = 20;

/** Settings of `signalbox keys hash`. */
export const keysHashSettings = z.object({
  name: field(name, { group: "Key", default: "client", says: "Whose key it is, for the log" }),
  scopes: field(
    listOf({ placeholder: "SCOPES", hint: `write one or more of ${SCOPES.join(", ")}`, read: readScope }),
    { group: "Key", default: "inference", says: "What it may do: inference, explain, override" },
  ),
  generate: field(flag, {
    group: "Key",
    default: "false",
    says: "Make a random key instead of reading one; it is shown once, on standard error",
  }),
});

function readScope(text: string): string {
  if (SCOPES.some((scope) => scope === text)) return text;
  throw new Misread("is not a scope");
}

/** `signalbox keys hash`: the entry of a keys file for a key, which itself is never in that file. */
export async function keysHash(
  { name, scopes, generate }: z.output<typeof keysHashSettings>,
  io: CommandIo,
): Promise<number> {
  const key = generate ? `sbx_${randomBytes(RANDOM_BYTES).toString("base64url")}` : checked(await io.stdin());
  if (key.length < SHORTEST_SAFE_KEY) {
    io.err(
      warningLine(`the key has ${key.length} characters: shorter than ${SHORTEST_SAFE_KEY} can be guessed`),
    );
  }
  if (generate) io.err(`key: ${key}\n`);
  const sha256 = digest(key).toString("hex");
  io.out(`[[key]]\nname = ${toToml(name)}\nsha256 = "${sha256}"\nscopes = ${toToml(scopes)}\n`);
  return 0;
}

function checked(text: string): string {
  const key = text.trim();
  if (/^[\x21-\x7e]{1,1024}$/.test(key)) return key;
  const found = key === "" ? "found nothing" : "found something that a header cannot carry";
  throw new CommandError(
    `Cannot read the key: wanted one line of visible ASCII on standard input, ${found}`,
    "signalbox keys hash < key.txt, or --generate to make one",
  );
}
