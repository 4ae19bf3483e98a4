import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { quote } from "../../shared/printable.ts";
import { normalTarget } from "../../shared/runtime/target.ts";
import { relayUrl } from "../../shared/settings/addresses.ts";
import { duration } from "../../shared/settings/amounts.ts";
import { field, type Kind, kindOf, Misread, optionalField } from "../../shared/settings/field.ts";
import { choice } from "../../shared/settings/texts.ts";
import { ENDPOINT_HEADER, MODEL_PROVIDER_HEADER } from "../routing/override.ts";
import { isBareOrigin, isFault, readEndpointUrl, readOneLine } from "../routing/override_url.ts";
import { SIGNATURE_HEADER } from "./door.ts";
import { LIFE_MAX_S, SECRET_MIN_BYTES, sign } from "./signature.ts";

/** One line as a header field has it: what the relay would refuse is refused here. */
function fieldLine(header: string, placeholder: string, hint: string): Kind<string> {
  return kindOf({
    placeholder,
    hint,
    read(raw) {
      const read = readOneLine(header, [typeof raw === "string" ? raw : ""]);
      if (isFault(read)) throw new Misread(`cannot be sent: ${read.detail}`);
      const url = header === ENDPOINT_HEADER && !isBareOrigin(read.line) ? readEndpointUrl(read.line) : read;
      if (isFault(url)) throw new Misread(`cannot be sent: ${url.detail}`);
      return read.line;
    },
    print: (value) => value,
  });
}

const keyId: Kind<string> = kindOf({
  placeholder: "ID",
  hint: "write the id of an [[override.key]] of the relay's settings",
  read(raw) {
    if (typeof raw === "string" && /^[\w.-]{1,64}$/.test(raw)) return raw;
    throw new Misread("is not 1 to 64 letters, digits, dots, dashes and underscores");
  },
  print: (value) => value,
});

const signingSecret: Kind<string> = kindOf({
  placeholder: "SECRET",
  hint: "openssl rand -hex 32 makes one; the relay's [[override.key]] has the same",
  secret: true,
  read: (raw) => checkedSecret(String(raw)),
  print: () => "[redacted]",
});

function checkedSecret(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes >= SECRET_MIN_BYTES) return text;
  throw new Misread(`has ${bytes} bytes, wanted at least ${SECRET_MIN_BYTES}`);
}

const keyGroup = { group: "Key" };
const requestGroup = { group: "Request", flagOnly: true };
const outputGroup = { group: "Output", flagOnly: true };

/** Settings of `signalbox override sign`. */
export const overrideSignSettings = z
  .object({
    keyId: optionalField(keyId, { ...keyGroup, flagOnly: true, says: "The id of the key to sign with" }),
    secret: optionalField(signingSecret, {
      ...keyGroup,
      says: "Its secret; not given, it is read from standard input",
    }),
    endpoint: optionalField(
      fieldLine(ENDPOINT_HEADER, "URL", "write the URL as the relay lists it, path included"),
      {
        ...requestGroup,
        says: "The value of x-provider-endpoint",
      },
    ),
    modelProvider: optionalField(fieldLine(MODEL_PROVIDER_HEADER, "NAME", "write oci"), {
      ...requestGroup,
      says: "The value of x-model-provider; not given, the request must not have one",
    }),
    lifeMs: field(duration, {
      ...requestGroup,
      default: `${LIFE_MAX_S}s`,
      says: `How long it is good for, at most ${LIFE_MAX_S}s; it is good for one request anyway`,
    }),
    format: field(choice(["headers", "curl", "json"]), {
      ...outputGroup,
      default: "headers",
      says: "Header lines, as curl -H @FILE takes them; a curl command; or a JSON object",
    }),
    server: field(relayUrl, {
      ...outputGroup,
      default: "http://127.0.0.1:8080",
      says: "The relay that the curl command calls",
    }),
  })
  .superRefine(({ lifeMs }, { addIssue }) => {
    if (lifeMs % 1000 === 0 && lifeMs >= 1000 && lifeMs <= LIFE_MAX_S * 1000) return;
    const hint = { hint: `write --life 1s to --life ${LIFE_MAX_S}s` };
    addIssue({ code: "custom", path: ["lifeMs"], message: "wanted whole seconds, 1 to 60", params: hint });
  });

export type OverrideSignSettings = z.output<typeof overrideSignSettings>;

/**
 * `signalbox override sign METHOD TARGET`: the header fields by which one request may name its endpoint.
 * @throws CommandError
 */
export async function overrideSign(
  settings: OverrideSignSettings,
  io: CommandIo,
  [method = "", target = ""]: readonly string[],
): Promise<number> {
  const { keyId, endpoint, modelProvider, lifeMs } = settings;
  if (keyId === undefined) throw missing("--key-id", "write the id of an [[override.key]] of the relay");
  if (endpoint === undefined) throw missing("--endpoint", "write the URL that the request is to be sent to");
  const request = { ...readRequest(method, target), endpoint, modelProvider: modelProvider ?? "" };
  const secret = settings.secret ?? (await secretOnStdin(io));
  const issuedS = Math.floor(Date.now() / 1000);
  const nonce = randomBytes(NONCE_BYTES).toString("base64url");
  const fields = {
    [ENDPOINT_HEADER]: endpoint,
    ...(modelProvider !== undefined && { [MODEL_PROVIDER_HEADER]: modelProvider }),
    [SIGNATURE_HEADER]: sign(request, { issuedS, expiresS: issuedS + lifeMs / 1000, nonce, keyId }, secret),
  };
  io.out(printed(fields, request, settings));
  return 0;
}

/** 128 bits: no two are ever the same. */
const NONCE_BYTES = 16;

function missing(flag: string, hint: string): CommandError {
  return new CommandError(`Cannot sign: wanted ${flag}, found nothing`, hint);
}

/** As the relay takes them: what it would change before it looks at the signature is changed here. */
function readRequest(method: string, target: string): { method: string; target: string } {
  if (!/^[A-Za-z-]{1,32}$/.test(method))
    throw new CommandError(`Cannot sign: ${quote(method)} is not a method`, "write POST, GET or another one");
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes("#")) {
    throw new CommandError(
      `Cannot sign: ${quote(target)} is not a path with or without a query`,
      "write it as the request has it, without the relay's address: /v1/chat/completions",
    );
  }
  return { method: method.toUpperCase(), target: normalTarget(target) };
}

async function secretOnStdin(io: CommandIo): Promise<string> {
  try {
    return checkedSecret((await io.stdin()).trim());
  } catch (error) {
    if (!(error instanceof Misread)) throw error;
    throw new CommandError(
      `Cannot sign: the secret on standard input ${error.phrase}`,
      "give --secret-file FILE, or the secret on standard input",
    );
  }
}

function printed(
  fields: Record<string, string>,
  { method, target }: { method: string; target: string },
  { format, server }: OverrideSignSettings,
): string {
  if (format === "json") return `${JSON.stringify(fields, null, 2)}\n`;
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  if (format === "headers") return lines.map((line) => `${line}\n`).join("");
  const words = lines.flatMap((line) => ["-H", shellWord(line)]);
  // -g: brackets and braces of a target are nothing to expand.
  const how = method === "HEAD" ? "-I" : `-X ${method}`;
  return `curl -g ${how} ${shellWord(server + target)} ${words.join(" ")}\n`;
}

/** In single quotes, where a shell leaves everything as it is. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
