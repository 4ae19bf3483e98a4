import { z } from "zod";
import { TRUST_WAYS } from "../override/trust.ts";
import { DECISION_TYPES, fleetSchema, RULE_NAMES, type WrittenFleet } from "./scenario_schema.ts";

/**
 * What `route-test` and `POST /admin/route-test` say of a request, as JSON. It only grows: a member keeps its name
 * and its meaning while `version` is 1. The descriptions are the manual (`docs/route-test.md`).
 */

const rule = z.enum(RULE_NAMES);
const nullable = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

const rejection = z.object({
  worker: z.string().describe("Its name"),
  worker_id: z.string().describe("Its id; empty for a worker that is not there"),
  provider: z.string().describe("Its provider, with the variant"),
  rule: rule.describe("The first rule that it did not pass"),
  detail: z.string().describe("What was wanted and what was found"),
});

const candidate = z.object({
  rank: z.int().describe("Its place, from 1"),
  worker: z.string().describe("Its name"),
  worker_id: z.string().describe("Its id"),
  provider: z.string().describe("Its provider, with the variant"),
  model: nullable(z.string()).describe(
    "The model that it would be asked for; null when the request names none",
  ),
  exact: z.boolean().describe("It names the model, rather than serving it by `*`"),
  load: z.int().describe("How many requests it works on"),
  max_concurrent: z.int().describe("How many it takes at a time"),
  free: z.boolean().describe("It has a slot for this request now"),
  reason: z.string().describe("Why it is in its place"),
});

const understood = z.object({
  method: z.string().describe("Upper case"),
  path: z.string().describe("As it would be forwarded, without the query"),
  model: nullable(z.string()).describe("As the client names it; null for none"),
  model_in: z.enum(["body", "header", "form", "query", "none"]).describe("Where it is named"),
  models: z.array(z.string()).describe("Models to fall back to"),
  preferences: z
    .record(z.string(), z.unknown())
    .describe("What was understood of `provider`, by its names there"),
  session: nullable(z.string()).describe("The client's name for the conversation"),
  kept_ids: z.array(z.string()).describe("Ids in the request that may be of things which one worker keeps"),
  streaming: z.boolean().describe("It asks for a stream"),
  needs: z.array(z.string()).describe("What it needs of a link beyond a POST of text"),
  warnings: z.array(z.string()).describe("What was not understood and does not fail the request"),
});

const decision = z.object({
  type: z
    .enum(DECISION_TYPES)
    .describe(
      "It would be sent (to a worker, or where `override` says), would wait in line, or would be refused",
    ),
  code: nullable(z.string()).describe("Of a refusal: the failure code, as in docs/failures.md"),
  status: nullable(z.int()).describe("Of a refusal: the HTTP status"),
  message: nullable(z.string()).describe("Of a refusal: what the client would be told"),
  failed_rule: nullable(rule).describe("Of a refusal by routing: the rule that left nobody"),
});

/** What came of one expectation. */
const verdict = z.object({
  what: z.string().describe("What was looked at, by its key in `[expect]`"),
  wanted: z.string().describe("What was expected"),
  found: z.string().describe("What was found"),
  holds: z.boolean().describe("Whether it is as expected"),
});

const fault = z.object({
  part: z.string().describe("Which part: `host`, `path`, `x-model-provider`, …"),
  detail: z.string().describe("What was wanted and what was found"),
});

const trust = z.object({
  ways: z.array(z.enum(TRUST_WAYS)).describe("The ways by which it is trusted; empty where it is not"),
  by: nullable(z.string()).describe("The API key's name, else the id of the key that signed"),
  problem: nullable(z.string()).describe("Why it is not trusted"),
});

const ofTaken = "Of one that is taken: ";

const override = z.object({
  endpoint: z.string().describe("What `x-provider-endpoint` names"),
  decision: z
    .enum(["provider", "refuse"])
    .describe("Whether it would be sent there, where nothing else is wrong with it"),
  code: nullable(z.string()).describe("Of a refusal: the failure code"),
  name: nullable(z.string()).describe(`${ofTaken}the \`[[override.endpoint]]\` that takes it`),
  pattern: nullable(z.string()).describe(`${ofTaken}the pattern that it matches`),
  provider: nullable(z.string()).describe(`${ofTaken}what \`x-model-provider\` may say; null for none`),
  scheme: nullable(z.enum(["https", "http"])).describe(`${ofTaken}how it would be sent`),
  host: nullable(z.string()).describe(`${ofTaken}the name that would be looked up`),
  port: nullable(z.int()).describe(`${ofTaken}the port`),
  credential: nullable(z.enum(["none", "passthrough", "secret"])).describe(
    `${ofTaken}which credential the provider would get`,
  ),
  trust: trust.describe("Whether who asks may name an endpoint"),
  stripped: z
    .array(z.string())
    .describe(`${ofTaken}the request's header fields that the provider would not see`),
  patterns: z
    .array(
      z.object({
        name: z.string().describe("The `[[override.endpoint]]` that lists it"),
        pattern: z.string().describe("As it is written there"),
        fault: nullable(fault).describe("What differs from it; null for nothing"),
      }),
    )
    .describe("Every pattern in the order in which they are tried; the first without a fault counts"),
  resolved: z
    .object({
      addresses: z.array(z.string()).describe("Those that would be dialled, the first one first"),
      problem: nullable(z.string()).describe("Why none would be"),
    })
    .optional()
    .describe("What came of looking the name up; only with `--resolve`, of one that is taken"),
});

export const routeReportSchema = z.object({
  version: z.literal(1).describe("Of this list"),
  request: understood.describe("What was understood of the request"),
  decision: decision.describe("What routing says of it"),
  funnel: z
    .array(
      z.object({
        rule: z.enum(RULE_NAMES).describe("The rule"),
        left: z.int().describe("How many workers were left after it"),
      }),
    )
    .describe("The rules in their order; empty when the request is refused before routing looks at it"),
  candidates: z
    .array(candidate)
    .describe("Who may serve it, best first; with several models a worker may stand here twice"),
  rejections: z.array(rejection).describe("The connected workers that may not, in the order they joined"),
  absent: z
    .array(rejection)
    .describe("Who left a moment ago; with the rule `connected` it is expected back and worth waiting for"),
  override: nullable(override).describe("The provider endpoint that the request names; null for none"),
  expectations: z.array(verdict).optional().describe("What came of each; only where some were given"),
});

/** What `--scenario` prints as JSON. */
export const scenarioRunSchema = z.object({
  version: z.literal(1).describe("Of this list"),
  passed: z.int().describe("Scenarios of which everything is as expected"),
  failed: z.int().describe("Scenarios of which something is not"),
  scenarios: z
    .array(
      z.object({
        file: z.string().describe("Its path"),
        title: z.string().describe("Its title"),
        passed: z.boolean().describe("Everything is as expected"),
        differences: z.array(verdict).describe("What is not"),
      }),
    )
    .describe("All of them, in the order of their paths"),
});

/** With the fleet in the form of a scenario file, for `--record`. */
export const recordedReportSchema = routeReportSchema.extend({ fleet: fleetSchema.optional() });

export type Verdict = z.output<typeof verdict>;
export type ScenarioRun = z.output<typeof scenarioRunSchema>;
export type RecordedReport = RouteReport & { fleet?: WrittenFleet };
export type RouteReport = z.output<typeof routeReportSchema>;
export type ReportedCandidate = RouteReport["candidates"][number];
export type ReportedOverride = NonNullable<RouteReport["override"]>;
export type ReportedRejection = RouteReport["rejections"][number];
