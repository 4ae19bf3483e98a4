import { z } from "zod";
import { type EXCHANGE_TYPES, type MessageOf, readMessage } from "./read_message.ts";

/**
 * The JSON messages of the link: ModelRelay's worker protocol, and what Signalbox adds to it. Unknown fields are
 * ignored by every peer, an unknown type ends the link, so what is added are fields; `drain` and `load` are sent
 * on framed links only.
 */

/** The one version there is. A peer that names another is refused; one that names none is taken. */
export const PROTOCOL_VERSION = "2026-04-bridge-v1";

/** What both ends must have named (in `register` and `register_ack`) before it is used. */
export const FEATURE = {
  /** The framed form of the link. */
  framed: "framed.1",
  /** `request.method` is understood. */
  method: "method",
  /** The first `response_chunk` carries status and headers. */
  head: "head",
} as const;

/** A reason that ModelRelay's worker knows; it drops the link over any other string. */
const CANCEL_REASONS = [
  "client_disconnect",
  "timeout",
  "graceful_shutdown",
  "worker_disconnect",
  "requeue_exhausted",
  "server_shutdown",
] as const;

const u16 = z.int().min(0).max(0xffff);
const u32 = z.int().min(0).max(0xffff_ffff);
const u64 = z
  .number()
  .min(0)
  .max(2 ** 64)
  .refine(Number.isInteger, "expected an integer");
const strings = z.array(z.string());
const headers = z.record(z.string(), z.string());

/** `null` stands for absent in an optional scalar; lists and records may be absent but never `null`. */
const scalar = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? undefined, schema.optional());

/** Worker, first and once: who it is, what it serves, how many requests it takes at a time. */
const register = z.object({
  type: z.literal("register"),
  worker_name: z.string(),
  /** `"*"` is any model. */
  models: strings,
  max_concurrent: u32,
  protocol_version: scalar(z.string()),
  current_load: scalar(u32),
  /** Paths that the worker serves; none: all. */
  endpoint_prefixes: strings.optional(),
  features: strings.optional(),
  /** Price, quantization, data policy and the like; `routing` reads them. */
  labels: z.record(z.string(), z.unknown()).optional(),
  /** A random id of the worker process: tells a reconnect from a namesake. */
  session: scalar(z.string()),
  provider_variant: scalar(z.string()),
});

/** Relay, first: what it made of `register`. */
const registerAck = z.object({
  type: z.literal("register_ack"),
  worker_id: z.string(),
  models: strings,
  warnings: strings.optional(),
  protocol_version: scalar(z.string()),
  endpoint_prefixes: strings.optional(),
  features: strings.optional(),
});

/** Worker: from now on it serves these models; an empty list stops dispatch. */
const modelsUpdate = z.object({ type: z.literal("models_update"), models: strings, current_load: u32 });

/** Asks for a `pong`. Towards a ModelRelay server it must not be sent. */
const ping = z.object({ type: z.literal("ping"), timestamp_unix_ms: scalar(u64) });

/** Worker: alive, and this busy. Answers a `ping`, repeats its time, and may come unasked. */
const pong = z.object({ type: z.literal("pong"), current_load: u32, timestamp_unix_ms: scalar(u64) });

/** Relay, plain links: a whole HTTP request. */
const request = z.object({
  type: z.literal("request"),
  request_id: z.string(),
  /** What routing saw; "" for none. */
  model: z.string(),
  /** Path and query. */
  endpoint_path: z.string(),
  is_streaming: z.boolean(),
  body: z.string(),
  headers: headers.optional(),
  /** Absent: POST. */
  method: scalar(z.string()),
});

/** Worker, plain links: the next piece of a streamed body. */
const responseChunk = z.object({
  type: z.literal("response_chunk"),
  request_id: z.string(),
  chunk: z.string(),
  /** With the feature `head`, on the first chunk only. */
  status_code: scalar(u16),
  headers: headers.optional(),
});

/** Worker, plain links: the end of a request; for one that was not streamed, its whole answer. */
const responseComplete = z.object({
  type: z.literal("response_complete"),
  request_id: z.string(),
  status_code: u16,
  headers: headers.optional(),
  body: scalar(z.string()),
  token_counts: scalar(
    z.object({
      prompt_tokens: scalar(u32),
      completion_tokens: scalar(u32),
      total_tokens: scalar(u32),
    }),
  ),
});

/** Relay, plain links: stop working on this request. */
const cancel = z.object({
  type: z.literal("cancel"),
  request_id: z.string(),
  reason: z.union([z.enum(CANCEL_REASONS), z.object({ other: z.string() })]),
});

/** Relay: take no new requests, finish those that run, then expect the close. */
const gracefulShutdown = z.object({
  type: z.literal("graceful_shutdown"),
  reason: scalar(z.string()),
  drain_timeout_secs: scalar(u64),
});

/** Relay: ask the backend again which models it has, and answer with `models_update`. */
const modelsRefresh = z.object({ type: z.literal("models_refresh"), reason: scalar(z.string()) });

/** Worker: a request failed, or (without `request_id`) something else did. ModelRelay's server closes over it. */
const error = z.object({
  type: z.literal("error"),
  request_id: scalar(z.string()),
  code: z.string(),
  message: z.string(),
});

/** Either side, framed links: it leaves; start no exchange, the running ones have this long. */
const drain = z.object({
  type: z.literal("drain"),
  reason: scalar(z.string()),
  drain_timeout_secs: scalar(u64),
});

/** Worker, framed links: requests that it works on, from wherever they come. */
const load = z.object({ type: z.literal("load"), current_load: u32 });

const FROM_WORKER = {
  register,
  models_update: modelsUpdate,
  ping,
  pong,
  response_chunk: responseChunk,
  response_complete: responseComplete,
  error,
  drain,
  load,
};
const FROM_RELAY = {
  register_ack: registerAck,
  ping,
  pong,
  request,
  cancel,
  graceful_shutdown: gracefulShutdown,
  models_refresh: modelsRefresh,
  drain,
};

export type WorkerMessage = MessageOf<typeof FROM_WORKER>;
export type RelayMessage = MessageOf<typeof FROM_RELAY>;
export type Message = WorkerMessage | RelayMessage;
export type MessageNamed<Type extends Message["type"]> = Extract<Message, { type: Type }>;

/** What is not part of an exchange. */
export type ControlMessage = Exclude<Message, { type: (typeof EXCHANGE_TYPES)[number] }>;

/** Read what a worker sent. @throws LinkProtocolError when it is no message that a worker sends. */
export function parseWorkerMessage(text: string): WorkerMessage {
  return readMessage(text, FROM_WORKER, "worker");
}

/** Read what a relay sent. @throws LinkProtocolError when it is no message that a relay sends. */
export function parseRelayMessage(text: string): RelayMessage {
  return readMessage(text, FROM_RELAY, "relay");
}

/**
 * The text of a message. A lone surrogate would be written as an escape that ModelRelay's parser refuses, so it
 * becomes U+FFFD.
 */
export function serialise(message: Message): string {
  const text = JSON.stringify(message);
  // JSON.stringify escapes surrogates only when they are lone; a literal backslash before "ud" also gets here.
  return text.includes("\\ud") ? JSON.stringify(wellFormed(message)) : text;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.toWellFormed(), wellFormed(item)]),
  );
}
