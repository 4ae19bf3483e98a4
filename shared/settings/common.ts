import { duration } from "./amounts.ts";
import { field } from "./field.ts";
import { choice } from "./texts.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "off"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * `RUST_LOG` and ModelRelay's `LOG_LEVEL` hold directives such as `info,hyper=warn`. The one without a target is
 * the level; the others are about parts of Rust programs, and none may keep us from starting.
 */
function bareDirective(text: string): string | undefined {
  const words = text.split(",").map((directive) => directive.trim().toLowerCase());
  return words.find((word) => [...LOG_LEVELS, "warning"].includes(word as LogLevel));
}

/** What every process that keeps running has. */
export const processFields = {
  drainTimeoutMs: field(duration, {
    group: "Process",
    default: "25s",
    says: "How long running requests may go on after SIGTERM; a second signal ends at once",
  }),
  logLevel: field(choice(LOG_LEVELS, { warning: "warn" }), {
    group: "Process",
    default: "info",
    env: ["RUST_LOG", "LOG_LEVEL"],
    readEnv: bareDirective,
    modelRelay: true,
    says: "The least important messages to log; at info each request has a line",
  }),
  logFormat: field(choice(LOG_FORMATS), {
    group: "Process",
    default: "text",
    says: "How log lines look; they go to standard error",
  }),
};
