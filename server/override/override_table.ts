import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { z } from "zod";
import { hostPort } from "../../shared/settings/addresses.ts";
import { type Kind, kindOf, Misread, type Place } from "../../shared/settings/field.ts";
import type { KeyPath } from "../../shared/settings/key_lines.ts";
import { checkTogether, mistake, schemaMistake } from "./override_mistake.ts";
import { overrideSchema } from "./override_schema.ts";
import type { ListedEndpoint, OverrideKey, OverrideListen, OverrideSettings } from "./override_settings.ts";
import type { SecretSource } from "./secret_source.ts";
import { SECRET_MIN_BYTES } from "./signature.ts";

/** A table in a file, JSON elsewhere. The first thing that is wrong in it is an error. */
export const overrideTable: Kind<OverrideSettings> = {
  ...kindOf<OverrideSettings>({
    placeholder: "JSON",
    hint: "write an [override] table in the file, and [[override.endpoint]] tables with name and patterns",
    read,
    print,
  }),
  settle,
};

function read(raw: unknown): OverrideSettings {
  const table = typeof raw === "string" ? parseJson(raw) : raw;
  const { data, error } = overrideSchema.safeParse(table);
  if (error) throw schemaMistake(error.issues[0]!, table);
  checkTogether(data);
  return data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misread("is not JSON", "override");
  }
}

/** The table that gives these settings again. Where secrets stand is not secret. */
function print({ listen, resolver, caFile, require, endpoints, keys }: OverrideSettings): object {
  return {
    ...(listen && { listen: "unix" in listen ? `unix:${listen.unix}` : z.encode(hostPort.codec, listen) }),
    ...(resolver && { resolver: z.encode(hostPort.codec, resolver) }),
    ...(caFile !== undefined && { ca_file: caFile }),
    ...(require.length > 0 && { require }),
    endpoint: endpoints.map(printEndpoint),
    ...(keys.length > 0 && { key: keys.map(printKey) }),
  };
}

function printEndpoint({ patterns, allowPrivate, ...rest }: ListedEndpoint): object {
  return { ...rest, patterns: patterns.map(({ text }) => text), allow_private: allowPrivate };
}

function printKey({ endpoints, ...rest }: OverrideKey): object {
  return { ...rest, ...(endpoints && { endpoints: [...endpoints] }) };
}

/** Paths start from the file's folder, and the secrets must be there. They are read again by who uses them. */
function settle(settings: OverrideSettings, place: Place): OverrideSettings {
  const endpoints = settings.endpoints.map((endpoint, at) => {
    if (!endpoint.secret) return endpoint;
    const key = ["endpoint", at, "secret"];
    const secret = located(endpoint.secret, place);
    // It becomes the value of a header field.
    if (!/^[\x20-\x7e]+$/.test(textOf(secret, place, key)))
      throw mistake(key, "must hold ASCII that a header can carry, on one line");
    return { ...endpoint, secret };
  });
  const keys = settings.keys.map((signer, at) => {
    const key = ["key", at, "secret"];
    const secret = located(signer.secret, place);
    const bytes = Buffer.byteLength(textOf(secret, place, key));
    if (bytes < SECRET_MIN_BYTES)
      throw mistake(key, `must hold at least ${SECRET_MIN_BYTES} bytes: found ${bytes}`);
    return { ...signer, secret };
  });
  const { listen, caFile } = settings;
  return {
    ...settings,
    endpoints,
    keys,
    ...(listen && { listen: settledListen(listen, place) }),
    ...(caFile !== undefined && { caFile: resolve(place.folder, caFile) }),
  };
}

function settledListen(listen: OverrideListen, { folder }: Place): OverrideListen {
  return "unix" in listen ? { unix: resolve(folder, listen.unix) } : listen;
}

function located(source: SecretSource, { folder }: Place): SecretSource {
  return "file" in source ? { file: resolve(folder, source.file) } : source;
}

/** What stands there, without the space round it. @throws Misread, CommandError when it is not there */
function textOf(source: SecretSource, { env, readText }: Place, key: KeyPath): string {
  if ("env" in source && !env[source.env])
    throw mistake(key, `cannot be read: the variable ${source.env} is empty or not set`);
  if ("credential" in source && !env.CREDENTIALS_DIRECTORY)
    throw mistake(
      key,
      "cannot be read: there is no $CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=",
    );
  if ("env" in source) return env[source.env]!.trim();
  const path = "file" in source ? source.file : resolve(env.CREDENTIALS_DIRECTORY!, source.credential);
  const text = readText(path).trim();
  if (text === "") throw mistake(key, `cannot be read: ${path} is empty`);
  return text;
}
