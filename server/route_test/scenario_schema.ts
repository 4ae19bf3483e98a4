import { z } from "zod";
import { labelsSchema } from "../../shared/labels.ts";
import { SCOPES } from "../keys/keys_file.ts";
import { TRUST_WAYS } from "../override/trust.ts";
import { STEP_NAMES } from "../routing/step_names.ts";
import type { Capability, RuleName } from "../routing/types.ts";

/**
 * A scenario file: a fleet, a request, and what is to become of it. A fleet file is one without the last two. The
 * descriptions are the manual (`docs/scenarios.md` is printed from them); the messages say what is wanted.
 */

const CAPABILITIES = ["method", "binary", "upgrade"] as const satisfies readonly Capability[];

export const RULE_NAMES = Object.keys(STEP_NAMES) as RuleName[];

export const DECISION_TYPES = ["dispatch", "wait", "refuse"] as const;

const wanted = {
  text: "a text that is not empty",
  texts: "a list of texts",
  count: "a whole number from 0",
  flag: "true or false",
  table: "a table",
  tables: "tables in double brackets",
};

const text = z.string(wanted.text).min(1, wanted.text);
const texts = z.array(z.string(wanted.texts), wanted.texts);
const count = z.int(wanted.count).min(0, wanted.count);
const flag = z.boolean(wanted.flag);
const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, `one of ${words.join(", ")}`);
const tables = <Table extends z.ZodType>(table: Table) => z.array(table, wanted.tables).default([]);

const absentWorker = z.strictObject(
  {
    name: text.describe("What it is called here and in what is printed; no two may be the same"),
    provider: text.default("local").describe("The provider it serves under, a variant behind a slash"),
    models: texts.default(["*"]).describe("The models it serves; `*` is every model"),
    endpoint_prefixes: texts.default([]).describe("The paths it serves; none given is every path"),
    max_concurrent: z
      .int("a whole number from 1")
      .min(1, "a whole number from 1")
      .default(1)
      .describe("How many requests it takes at a time"),
    link_form: oneOf(["framed", "plain"]).default("framed").describe("The form of its link"),
    capabilities: z
      .array(oneOf(CAPABILITIES), `a list of ${CAPABILITIES.join(", ")}`)
      .optional()
      .describe("What its link carries; not given, all that links of its form carry"),
    labels: labelsSchema
      .default({})
      .describe("What it declares, as the setting `labels` of a worker in docs/settings.md"),
  },
  wanted.table,
);

const presentWorker = absentWorker.extend({
  id: text.optional().describe("Not given: `worker-1` for the first worker, and so on"),
  in_flight: count.default(0).describe("How many of its slots are taken"),
  reported_load: count.optional().describe("How many requests it says it works on; not given, `in_flight`"),
  draining: flag.default(false).describe("It is leaving and takes no new requests"),
  healthy: flag.default(true).describe("Whether its backend answers"),
  last_turn: count.default(0).describe("The fleet's turn in which it was last given a request; 0 is never"),
});

const PERCENTILES = "a number from 0, or a table of p50 and, if you like, p75, p90 and p99";
const amount = z.number("a number from 0").min(0, "a number from 0");
const percentiles = z
  .union(
    [
      amount,
      z.strictObject({ p50: amount, p75: amount.optional(), p90: amount.optional(), p99: amount.optional() }),
    ],
    PERCENTILES,
  )
  .optional();

const measured = z.strictObject(
  {
    provider: text.describe("The provider, with its variant"),
    model: z.string("a text").default("").describe("The model; empty for requests that name none"),
    throughput: percentiles.describe("Tokens per second; p90 is what 90 % reach. A number is all four"),
    latency: percentiles.describe("Seconds to the first byte. A percentile left out is the one before it"),
  },
  wanted.table,
);

const session = z.strictObject(
  {
    session: text.describe("The client's name for the conversation"),
    model: z.string("a text").default("").describe("The model of its last request; empty without one"),
    worker: text.describe("The worker that served it, which may be one of `[[absent]]`"),
  },
  wanted.table,
);

const kept = z.strictObject(
  {
    id: text.describe("The id of a thing that a backend keeps, such as `resp_1`"),
    worker: text.describe("The worker that gave it, which may be one of `[[absent]]`"),
  },
  wanted.table,
);

const clientKey = z.strictObject(
  {
    name: text.default("a key").describe("Its name"),
    scopes: z
      .array(oneOf(SCOPES), `a list of ${SCOPES.join(", ")}`)
      .default(["inference"])
      .describe("What it may do"),
    override_endpoints: texts
      .optional()
      .describe("The `[[override.endpoint]]` tables that it is good for; not given, all"),
  },
  wanted.table,
);

const json = z.record(z.string(), z.unknown(), wanted.table);

export const requestSchema = z.strictObject(
  {
    method: text.default("POST").describe("The method"),
    path: text.describe("Path and query"),
    headers: z
      .record(
        z.string(),
        z.union([z.string(), z.array(z.string())], "a text or a list of texts"),
        wanted.table,
      )
      .default({})
      .describe("Header fields; a list is the same field several times"),
    body: json.optional().describe("The body, which is sent as JSON"),
    body_text: z.string("a text").optional().describe("The body as it is, in place of `body`"),
    body_base64: z
      .base64("bytes in base64")
      .optional()
      .describe("The body as it is where it is not text, in place of `body`"),
    model: text.optional().describe("As `--model`: goes into a JSON body made for it, else into `X-Model`"),
    provider: z
      .union([text, json], "a table of preferences, or a text of names with commas")
      .optional()
      .describe("As `--provider`: goes into that body, else into `X-Provider`"),
    session: text
      .optional()
      .describe("As `--session`: goes into that body as `session_id`, else into `X-Session-Id`"),
    key: clientKey
      .optional()
      .describe("The API key that it shows; looked at only where it names an endpoint of its own"),
    on_listener: flag.optional().describe("As `--on-listener`: it comes to the listener for overrides"),
    signed_by: text
      .optional()
      .describe("The id of an `[[override.key]]` by which it is signed, in place of a real signature"),
  },
  wanted.table,
);

export const expectSchema = z
  .strictObject(
    {
      decision: oneOf(DECISION_TYPES).describe("What routing says of the request"),
      code: text.describe("The failure code of a refusal"),
      failed_rule: oneOf(RULE_NAMES).describe("The rule at which a refusal ends"),
      endpoint: text.describe("The `[[override.endpoint]]` that takes it"),
      pattern: text.describe("The pattern of that which it matches"),
      ways: z
        .array(oneOf(TRUST_WAYS), `a list of ${TRUST_WAYS.join(", ")}`)
        .describe(
          "All ways by which it may name an endpoint of its own, in this order: key, listener, signature",
        ),
      faults: z
        .record(z.string(), z.string("a text"), wanted.table)
        .describe("The part of the endpoint's URL that differs from each pattern named here"),
      stripped: texts.describe("Header fields that the provider does not see, in any order; others may join"),
      provider: text.describe(
        "The provider of the first candidate; a name without a variant means all of its variants",
      ),
      worker: text.describe("The first candidate"),
      model: text.describe("The model that the first candidate would be asked for"),
      order: texts.describe("All candidates in order, each by its name or its provider's; `[]` is none"),
      rejected: z
        .record(z.string(), oneOf(RULE_NAMES), wanted.table)
        .describe("The rule to which each worker named here fell; others are not looked at"),
      reasons: z
        .record(z.string(), z.string("a text"), wanted.table)
        .describe(
          "A part of the reason for the place of each candidate named here; others are not looked at",
        ),
      warnings: texts.describe("All warnings in order, a part of each; `[]` is none"),
      funnel: z
        .record(z.string(), count, wanted.table)
        .describe("How many workers were left after each rule named here; others are not looked at"),
    },
    wanted.table,
  )
  .partial();

/** The part of a file that is a fleet. */
export const fleetSchema = z.strictObject({
  worker: tables(presentWorker),
  absent: tables(absentWorker),
  measured: tables(measured),
  session: tables(session),
  kept: tables(kept),
});

/** The whole file. */
export const scenarioSchema = fleetSchema.extend({
  title: text.optional().describe("What the scenario shows, in a few words; a fleet needs none"),
  why: text.optional().describe("A sentence or two on why it is so"),
  override: json
    .optional()
    .describe("Which endpoints requests may name, as in the relay's settings; no secret is read"),
  request: requestSchema.optional(),
  expect: expectSchema.optional(),
});

export type ScenarioFile = z.output<typeof scenarioSchema>;
/** As somebody writes it: what has a default may be missing. */
export type WrittenFleet = z.input<typeof fleetSchema>;
/** A request as somebody describes it: in a file, with flags, or to a relay. */
export type RequestTable = z.output<typeof requestSchema>;
export type Expectations = z.output<typeof expectSchema>;
export type FileWorker = ScenarioFile["worker"][number];
export type FileAbsentWorker = ScenarioFile["absent"][number];
