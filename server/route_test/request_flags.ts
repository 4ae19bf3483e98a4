import { Buffer, isUtf8 } from "node:buffer";
import type { CommandIo } from "../../shared/command_line/command.ts";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { readBytes } from "../../shared/command_line/read_text.ts";
import type { RequestTable } from "./scenario_schema.ts";
import type { RouteTestSettings } from "./settings.ts";
import { RequestMistake, type RequestPart, type TestRequest, testRequest } from "./test_request.ts";

/** The request that flags and operands describe, as a table of a scenario would. @throws CommandError */
export async function requestTable(
  { model, provider, session, headers, body, onListener }: RouteTestSettings,
  [method, path]: readonly [string, string],
  io: CommandIo,
): Promise<RequestTable> {
  const bytes =
    body === undefined ? undefined : body === "-" ? Buffer.from(await io.stdin()) : readBytes(body);
  return {
    method,
    path,
    headers,
    ...(bytes && (isUtf8(bytes) ? { body_text: `${bytes}` } : { body_base64: bytes.toString("base64") })),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(session !== undefined && { session }),
    ...(onListener !== undefined && { on_listener: onListener }),
  };
}

/** @throws CommandError naming the flag */
export function requestOf(table: RequestTable, { body = "" }: RouteTestSettings): TestRequest {
  try {
    return testRequest(table);
  } catch (error) {
    if (!(error instanceof RequestMistake)) throw error;
    const what = LABELS[error.part] ?? `--body ${body}`;
    throw new CommandError(`Cannot use ${what}: ${error.problem}`, error.hint);
  }
}

const LABELS: Readonly<Partial<Record<RequestPart, string>>> = {
  method: "METHOD",
  path: "PATH",
  headers: "--header",
  model: "--model",
  provider: "--provider",
  session: "--session",
};
