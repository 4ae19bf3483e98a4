import { configureSync, getLogger, type LogRecord, type LogLevel as TapeLevel } from "@logtape/logtape";
import { lineWriter } from "./line_writer.ts";
import { type Formatter, jsonLine, type LogEvent, textLine } from "./log_line.ts";
import type { LogFormat, LogLevel } from "./settings/common.ts";

/**
 * The log of this process. `log.info("Worker connected", { worker })`: the message is a constant, what varies is
 * in the fields. Before `startLog` nothing is written.
 */
export const log = getLogger("signalbox");

/** What a line about one request holds. Bytes of bodies; times in milliseconds since it arrived. */
export interface RequestLine {
  method: string;
  /** Without the query, which may hold secrets. */
  /** Undefined for a request that named an endpoint of its own: its paths are nobody's business. */
  path: string | undefined;
  /** The name under which that endpoint is listed, and its scheme and host. */
  override?: string | undefined;
  host?: string | undefined;
  status: number;
  model?: string | undefined;
  provider?: string | undefined;
  worker?: string | undefined;
  /** Name of the API key. */
  client?: string | undefined;
  bytesIn: number;
  bytesOut: number;
  waitedMs: number;
  firstByteMs?: number | undefined;
  totalMs: number;
  attempts: number;
  /** Code of the failure, if it failed. */
  failure?: string | undefined;
  requestId: string;
}

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** Takes whole lines, and calls back when there is room for more. */
  write(text: string, done: () => void): void;
  /** Never written, wherever they turn up. Shorter ones than 6 characters would blot out ordinary words. */
  secrets?: readonly string[];
  /** Milliseconds since 1970. */
  timeMs?: () => number;
}

const TAPE_LEVELS: Readonly<Record<LogLevel, TapeLevel | null>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  off: null,
};

const DROPPED = "Lines were dropped, as nobody reads the log";
const SHORTEST_SECRET = 6;

let writeRequest: ((line: RequestLine) => void) | undefined;

/**
 * Writes the line of a request, or undefined when such lines are not wanted: then nothing has to be gathered for
 * them either. Past LogTape, whose records cost as much again as the line.
 */
export function requestLog(): ((line: RequestLine) => void) | undefined {
  return writeRequest;
}

/** Begin to log, or go on in another way. What is given back resolves when all lines are written. */
export function startLog(options: LogOptions): () => Promise<void> {
  const { level, format, secrets = [], timeMs = Date.now } = options;
  const formatter: Formatter = format === "json" ? jsonLine : textLine;
  const redact = redactor(secrets);
  const toLine = (event: LogEvent) => redact(formatter(event));
  const lines = lineWriter({
    write: options.write,
    dropped: (count) => toLine({ timeMs: timeMs(), level: "warn", message: DROPPED, fields: { count } }),
  });
  configureSync({
    reset: true,
    sinks: { lines: (record) => lines.write(toLine(eventOf(record))) },
    loggers: [
      { category: "signalbox", sinks: ["lines"], lowestLevel: TAPE_LEVELS[level] },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: TAPE_LEVELS[level] && "error" },
    ],
  });
  writeRequest = log.isEnabledFor("info")
    ? (line) =>
        lines.write(toLine({ timeMs: timeMs(), level: "info", message: "request", fields: fieldsOf(line) }))
    : undefined;
  return lines.flushed;
}

function eventOf({ timestamp, level, category, message, properties }: LogRecord): LogEvent {
  return {
    timeMs: timestamp,
    level: level === "warning" ? "warn" : level,
    message: [...category.slice(1), message.join("")].join(": "),
    fields: properties,
  };
}

/** The order and the names that the line has, whatever order the object was built in. */
function fieldsOf(line: RequestLine): Record<string, unknown> {
  return {
    method: line.method,
    path: line.path,
    override: line.override,
    host: line.host,
    status: line.status,
    model: line.model,
    provider: line.provider,
    worker: line.worker,
    client: line.client,
    bytes_in: line.bytesIn,
    bytes_out: line.bytesOut,
    waited_ms: Math.round(line.waitedMs),
    first_byte_ms: line.firstByteMs === undefined ? undefined : Math.round(line.firstByteMs),
    total_ms: Math.round(line.totalMs),
    attempts: line.attempts,
    failure: line.failure,
    request_id: line.requestId,
  };
}

/** Cuts secrets out of finished lines, where quotes and backslashes are escaped. */
function redactor(secrets: readonly string[]): (line: string) => string {
  const written = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const forms = [...new Set(written)].sort((a, b) => b.length - a.length);
  return (line) => {
    for (const form of forms) if (line.includes(form)) line = line.replaceAll(form, "[redacted]");
    return line;
  };
}
