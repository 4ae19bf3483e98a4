import { z } from "zod";
import { RelayFailure } from "../../shared/failures.ts";
import type { FleetSnapshot } from "../routing/types.ts";
import { dryRun, type RelaySettings, routeRequestOf } from "./dry_run.ts";
import { recordFleet } from "./record_fleet.ts";
import type { RecordedReport } from "./report.ts";
import { resolvedReport } from "./resolved_report.ts";
import { requestSchema } from "./scenario_schema.ts";
import { nameOfKey, schemaComplaint } from "./schema_complaint.ts";
import { RequestMistake, type TestRequest, testRequest } from "./test_request.ts";

/** What `POST /admin/route-test` takes: `[request]` of a scenario, as JSON. */
export const routeTestBody = requestSchema.extend({
  record: z
    .boolean("true or false")
    .optional()
    .describe("Answer with the fleet too, in the form of a scenario file"),
  resolve: z.boolean("true or false").optional().describe("As `--resolve`: the relay looks the host up"),
});

/** @throws RelayFailure `bad_request` for what is no request, or none that is routed */
export async function answerRouteTest(
  { record = false, resolve = false, ...table }: z.output<typeof routeTestBody>,
  snapshot: FleetSnapshot,
  settings: RelaySettings,
): Promise<RecordedReport> {
  const request = requestOf(table);
  const report = await resolvedReport(dryRun(request, snapshot, settings), settings, resolve);
  return record ? { ...report, fleet: recordFleet(snapshot, routeRequestOf(request, settings)) } : report;
}

/** A body that is not as `routeTestBody` wants it. `issue`: zod's. */
export function badRouteTest(issue: unknown, body: unknown): RelayFailure {
  const { key, problem } = schemaComplaint(routeTestBody, issue as z.core.$ZodIssue, body);
  const detail = key.length === 0 ? problem : `${nameOfKey(key)}: ${problem}`;
  return new RelayFailure("bad_request", { detail, cause: issue });
}

function requestOf(table: z.output<typeof requestSchema>): TestRequest {
  try {
    return testRequest(table);
  } catch (error) {
    if (!(error instanceof RequestMistake)) throw error;
    throw new RelayFailure("bad_request", { detail: error.message, param: error.part });
  }
}
