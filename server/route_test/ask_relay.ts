import { treaty } from "@elysiajs/eden";
import { systemClock } from "../../shared/clock.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { Http1Client } from "../../shared/http1/client.ts";
import { fetchOver } from "../../shared/http1/fetch.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { DialError } from "../../shared/runtime/ports.ts";
import type { App } from "../app.ts";
import { type RecordedReport, recordedReportSchema } from "./report.ts";
import type { RequestTable } from "./scenario_schema.ts";

/** The relay looks at its fleet and answers: nothing is waited for. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface AskOptions {
  /** Base URL of the relay. */
  server: string;
  adminToken?: string | undefined;
  /** More authorities to trust, PEM. */
  caPem?: string[];
  /** Ask for the fleet too. */
  record: boolean;
  /** Have the relay look up the host that the request names. */
  resolve: boolean;
}

/** What a running relay would do with a request. @throws CommandError when it gives no answer that is one */
export async function askRelay(request: RequestTable, options: AskOptions): Promise<RecordedReport> {
  const { server, adminToken, caPem, record, resolve } = options;
  const client = new Http1Client({ runtime, clock: systemClock, firstByteTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const relay = treaty<App>(server, {
      fetcher: fetchOver(client, caPem && { caPem }) as typeof fetch,
      headers: adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` },
      // A model may be named like a date.
      parseDate: false,
    });
    const { data, error } = await relay.admin["route-test"].post({ ...request, record, resolve });
    if (error) throw refused(server, error, adminToken !== undefined);
    const { error: notReport } = recordedReportSchema.safeParse(data);
    if (notReport) throw noRelay(server, "its answer is no route report", notReport);
    return data;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    // Eden does not catch what is no JSON though it says so.
    throw noRelay(server, "its answer is not JSON", error);
  } finally {
    client.close();
  }
}

/** Eden says 503 for what its `fetcher` throws, and `value` is that. */
function refused(
  server: string,
  { status, value }: { status: unknown; value: unknown },
  hadToken: boolean,
): CommandError {
  if (value instanceof Error) return unreachable(server, value);
  if (status === 403) {
    return hadToken
      ? new CommandError(
          `Cannot ask ${server}: the relay refused the admin token`,
          "compare it with --admin-token-file of `signalbox serve`; without one there /admin is closed",
        )
      : new CommandError(
          `Cannot ask ${server}: wanted its admin token, found none`,
          "give --admin-token-file FILE, or the variable SIGNALBOX_ADMIN_TOKEN",
        );
  }
  const said = messageIn(value);
  if (status === 400 && said)
    return new CommandError(
      `Cannot ask ${server}: ${said}`,
      "run the same version of signalbox on both ends",
    );
  return noRelay(server, `POST /admin/route-test gave ${status}`);
}

function noRelay(server: string, found: string, cause?: unknown): CommandError {
  return new CommandError(
    `Cannot ask ${server}: wanted a Signalbox relay that has route-test, found that ${found}`,
    "check the address; an older relay has to be updated",
    { cause },
  );
}

function unreachable(server: string, error: Error): CommandError {
  const { cause } = error;
  const [why, hint] = cause instanceof DialError ? DIAL_REASONS[cause.kind] : NO_HTTP;
  return new CommandError(`Cannot ask ${server}: ${why}`, hint, { cause: error });
}

const IS_IT_RUNNING = "is the relay running, and is the address right?";
const NO_HTTP = [
  "what listens there does not speak HTTP/1.1, or broke off",
  "is it http:// or https://?",
] as const;

const DIAL_REASONS: Readonly<Record<DialError["kind"], readonly [why: string, hint: string]>> = {
  resolve: ["the name is not known", "check the name in --server"],
  refused: ["nothing listens there", IS_IT_RUNNING],
  unreachable: ["it cannot be reached", IS_IT_RUNNING],
  timeout: ["it did not answer in time", IS_IT_RUNNING],
  tls: [
    "its certificate was not accepted, or it does not speak TLS",
    "give --ca-file with the authority that signed it, or write http://",
  ],
  handshake: NO_HTTP,
};

/** OpenAI's form, which is that of the path. */
function messageIn(value: unknown): string | undefined {
  const { error } = (value ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? error.message : undefined;
}
