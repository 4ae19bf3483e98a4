import { nearest } from "../../shared/command_line/nearest.ts";
import { FAILURES } from "../../shared/failures.ts";
import { quote } from "../../shared/printable.ts";
import { type Kind, kindOf, Misread } from "../../shared/settings/field.ts";

/** The kinds of values that only `route-test` takes. */

/** Any text that is not empty. */
export function text(placeholder: string, hint: string): Kind<string> {
  return kindOf({
    placeholder,
    hint,
    read: (raw) => (typeof raw === "string" && raw !== "" ? raw : misread("is not a text")),
    print: (value) => value,
  });
}

export type PreferenceWords = string | Record<string, unknown>;

/** Provider preferences as the header `X-Provider` takes them: an object in JSON, or names of providers. */
export const preferences: Kind<PreferenceWords> = kindOf<PreferenceWords>({
  placeholder: "PREFS",
  hint: `write home,lab or '{"order":["home","lab"],"allow_fallbacks":false}'`,
  read(raw) {
    if (typeof raw === "object" && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
    if (typeof raw !== "string" || raw.trim() === "") return misread("is neither JSON nor names");
    return raw.trim().startsWith("{") ? parseObject(raw) : raw;
  },
  print: (value) => value,
});

function parseObject(raw: string): Record<string, unknown> {
  try {
    return JSON.parse(raw);
  } catch {
    return misread("begins as JSON and is none");
  }
}

/** Header fields, the same name several times where it is given several times. */
export const headers: Kind<Record<string, string[]>> = kindOf<Record<string, string[]>>({
  placeholder: "FIELD",
  hint: "write 'X-Model: whisper'",
  several: "repeat",
  read(raw) {
    const fields: Record<string, string[]> = {};
    for (const line of Array.isArray(raw) ? raw : [raw]) {
      const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):\s*([^\r\n]*)$/.exec(String(line)) ?? [];
      if (name === undefined) throw new Misread("is not a header field", quote(line));
      const key = name.toLowerCase();
      fields[key] = [...(fields[key] ?? []), value!.trim()];
    }
    return fields;
  },
  print: (fields) =>
    Object.entries(fields).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
});

/** Names with commas between them; one may stand there twice. */
export const names: Kind<string[]> = kindOf<string[]>({
  placeholder: "NAMES",
  hint: "write attic,cellar",
  several: "comma",
  read: (raw) =>
    (Array.isArray(raw) ? raw : [raw]).map((name) => String(name).trim()).filter((name) => name !== ""),
  print: (value) => value,
});

/** A code of the failure table. */
export const failureCode: Kind<string> = kindOf({
  placeholder: "CODE",
  hint: "write no_eligible_worker; docs/failures.md lists the codes",
  read(raw) {
    const code = String(raw);
    if (Object.hasOwn(FAILURES, code)) return code;
    const meant = nearest(code, Object.keys(FAILURES));
    return misread(meant ? `is no failure code, the nearest is ${meant}` : "is no failure code");
  },
  print: (value) => value,
});

function misread(phrase: string): never {
  throw new Misread(phrase);
}
