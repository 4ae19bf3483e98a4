import { isIP } from "node:net";
import { z } from "zod";
import { quote } from "../../shared/printable.ts";
import { hostPort, networks } from "../../shared/settings/addresses.ts";
import { neverOpened } from "../provider/addresses.ts";
import { compilePattern, PatternMistake } from "../routing/override_pattern.ts";
import type { ListedEndpoint, OverrideKey, OverrideListen, OverrideSettings } from "./override_settings.ts";
import type { SecretSource } from "./secret_source.ts";
import { TRUST_WAYS } from "./trust.ts";

/**
 * The `[override]` table of `serve` as it is written. Messages say what is wanted, but for issues of the code `custom`,
 * which say what is wrong.
 */

const wanted = {
  table: "a table",
  tables: (most: number) => `1 to ${most} tables in double brackets`,
  texts: (most: number) => `a list of 1 to ${most} texts`,
  name: "1 to 64 letters, digits, dots, dashes and underscores",
  provider: 'ASCII of 1 to 128 characters without spaces and any of \\ " < > ^ ` { | }',
  file: "the path of a file",
  variable: "the name of a variable",
  flag: "true or false",
  secret: "a table with file, env or credential",
  ways: `a list of ${TRUST_WAYS.join(", ")}`,
};

const tables = <Table extends z.ZodType>(table: Table, most: number) =>
  z.array(table, wanted.tables(most)).min(1, wanted.tables(most)).max(most, wanted.tables(most));
const texts = <Text extends z.ZodType>(text: Text, most: number) =>
  z.array(text, wanted.texts(most)).min(1, wanted.texts(most)).max(most, wanted.texts(most));

/** Stands in the log, in scopes of keys, in signatures, and beside what is counted. */
const name = z.string(wanted.name).regex(/^[\w.-]{1,64}$/, wanted.name);

const secretTable = z.strictObject(
  {
    file: z.string(wanted.file).min(1, wanted.file).optional(),
    env: z
      .string(wanted.variable)
      .regex(/^[A-Za-z_]\w*$/, wanted.variable)
      .optional(),
    credential: name.optional(),
  },
  wanted.secret,
);
const secret = secretTable.transform((table, context): SecretSource => {
  if (Object.keys(table).length !== 1)
    context.addIssue({ code: "custom", message: "it must have one of file, env and credential" });
  return table as SecretSource;
});

const pattern = z.string("a text").transform((text, context) => {
  try {
    return compilePattern(text);
  } catch (error) {
    if (!(error instanceof PatternMistake)) throw error;
    context.addIssue({ code: "custom", message: `${quote(text)}: ${error.message}` });
    return z.NEVER;
  }
});

const privateNetworks = networks.codec.superRefine((written, context) => {
  for (const network of written) {
    const what = neverOpened(network);
    if (what === undefined) continue;
    context.addIssue({
      code: "custom",
      message: `${quote(network)} would open nothing: ${what} addresses stay closed`,
    });
  }
});

const endpointTable = z.strictObject(
  {
    name,
    patterns: texts(pattern, 64),
    // What a header field may say that is read as one line.
    provider: z
      .string(wanted.provider)
      .regex(/^[!#-;=?-[\]_a-z~]{1,128}$/, wanted.provider)
      .optional(),
    credential: z.enum(["none", "passthrough", "secret"], "none, passthrough or secret").default("none"),
    secret: secret.optional(),
    join: z.boolean(wanted.flag).default(false),
    allow_private: privateNetworks.optional(),
  },
  wanted.table,
);
const endpoint = endpointTable.transform(
  ({ allow_private = [], provider, ...rest }): ListedEndpoint => ({
    ...rest,
    ...(provider !== undefined && { provider }),
    allowPrivate: allow_private,
  }),
);

const keyTable = z.strictObject({ id: name, secret, endpoints: texts(name, 256).optional() }, wanted.table);
const key = keyTable.transform(
  ({ endpoints, ...rest }): OverrideKey => ({ ...rest, ...(endpoints && { endpoints: new Set(endpoints) }) }),
);

const listen = z.unknown().transform((written, context): OverrideListen => {
  const [, path] = /^unix:(.+)$/s.exec(typeof written === "string" ? written : "") ?? [];
  if (path !== undefined) return { unix: path };
  const { data } = z.safeDecode(hostPort.codec, written);
  if (data) return data;
  context.addIssue({ code: "custom", message: `${quote(written)} is neither HOST:PORT nor unix:PATH` });
  return z.NEVER;
});

/** It is asked before there is anybody who could resolve its name. */
const resolver = hostPort.codec.superRefine((server, context) => {
  if (isIP(server.host)) return;
  context.addIssue({ code: "custom", message: `${quote(server.host)} is not the address of a DNS server` });
});

const overrideTable = z.strictObject(
  {
    listen: listen.optional(),
    resolver: resolver.optional(),
    ca_file: z.string(wanted.file).min(1, wanted.file).optional(),
    require: z.array(z.enum(TRUST_WAYS, `one of ${TRUST_WAYS.join(", ")}`), wanted.ways).default([]),
    endpoint: tables(endpoint, 256),
    key: tables(key, 64).optional(),
  },
  wanted.table,
);
export const overrideSchema = overrideTable.transform(
  ({ endpoint, key = [], ca_file, ...rest }): OverrideSettings => ({
    ...rest,
    ...(ca_file !== undefined && { caFile: ca_file }),
    endpoints: endpoint,
    keys: key,
  }),
);

/** The keys that a table may have, by the last name of its path; "" for `[override]` itself. */
export const TABLE_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(overrideTable.shape),
  endpoint: Object.keys(endpointTable.shape),
  key: Object.keys(keyTable.shape),
  secret: Object.keys(secretTable.shape),
};
