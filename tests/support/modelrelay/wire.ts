import { JsonNumber, JsonObject, type JsonValue, readJson } from "./json_text.ts";

/**
 * The messages of ModelRelay 0.2.7 as its two programs read them: unknown fields are
 * ignored, everything else that is not exactly right is an error, over which they end the connection.
 */

type Read = (value: JsonValue) => unknown;

/** `required`; `option`: absent or null; `default`: may be absent but not null. */
interface Field {
  read: Read;
  presence: "required" | "option" | "default";
}
type Schema = Record<string, Field>;

export type FromWorker =
  | {
      type: "register";
      worker_name: string;
      models: string[];
      max_concurrent: number;
      protocol_version?: string;
      current_load?: number;
    }
  | { type: "models_update"; models: string[]; current_load: number }
  | { type: "pong"; current_load: number; timestamp_unix_ms?: number }
  | { type: "response_chunk"; request_id: string; chunk: string }
  | {
      type: "response_complete";
      request_id: string;
      status_code: number;
      headers?: Record<string, string>;
      body?: string;
    }
  | { type: "error"; request_id?: string; code: string; message: string };

export type FromServer =
  | {
      type: "register_ack";
      worker_id: string;
      models: string[];
      warnings?: string[];
      protocol_version?: string;
    }
  | {
      type: "request";
      request_id: string;
      model: string;
      endpoint_path: string;
      is_streaming: boolean;
      body: string;
      headers?: Record<string, string>;
    }
  | { type: "cancel"; request_id: string; reason: string | { other: string } }
  | { type: "ping"; timestamp_unix_ms?: number }
  | { type: "graceful_shutdown"; reason?: string; drain_timeout_secs?: number }
  | { type: "models_refresh"; reason?: string };

const string: Read = (value) => check(value, typeof value === "string");
const boolean: Read = (value) => check(value, typeof value === "boolean");
const strings: Read = (value) => {
  if (!Array.isArray(value)) throw new SyntaxError("expected a sequence");
  return value.map(string);
};
const headers: Read = (value) => {
  if (!(value instanceof JsonObject)) throw new SyntaxError("expected a map");
  return Object.fromEntries(value.members.map(([name, item]) => [name, string(item)]));
};
const integer =
  (bits: number): Read =>
  (value) => {
    if (!(value instanceof JsonNumber) || !/^[0-9]+$/.test(value.text))
      throw new SyntaxError(`expected u${bits}`);
    if (BigInt(value.text) >= 1n << BigInt(bits)) throw new SyntaxError(`expected u${bits}`);
    return Number(value.text);
  };
const u16 = integer(16);
const u32 = integer(32);
const u64 = integer(64);

const REASONS = [
  "client_disconnect",
  "timeout",
  "graceful_shutdown",
  "worker_disconnect",
  "requeue_exhausted",
  "server_shutdown",
];
const reason: Read = (value) => {
  if (typeof value === "string" && REASONS.includes(value)) return value;
  if (!(value instanceof JsonObject) || value.members.length !== 1) throw new SyntaxError("unknown variant");
  return { other: string(value.member("other") ?? null) };
};

const required = (read: Read): Field => ({ read, presence: "required" });
const option = (read: Read): Field => ({ read, presence: "option" });
const defaulted = (read: Read): Field => ({ read, presence: "default" });

const tokenCounts: Read = (value) =>
  readFields(value, {
    prompt_tokens: option(u32),
    completion_tokens: option(u32),
    total_tokens: option(u32),
  });

const FROM_WORKER: Record<string, Schema> = {
  register: {
    worker_name: required(string),
    models: required(strings),
    max_concurrent: required(u32),
    protocol_version: option(string),
    current_load: option(u32),
  },
  models_update: { models: required(strings), current_load: required(u32) },
  pong: { current_load: required(u32), timestamp_unix_ms: option(u64) },
  response_chunk: { request_id: required(string), chunk: required(string) },
  response_complete: {
    request_id: required(string),
    status_code: required(u16),
    headers: defaulted(headers),
    body: option(string),
    token_counts: option(tokenCounts),
  },
  error: { request_id: option(string), code: required(string), message: required(string) },
};

const FROM_SERVER: Record<string, Schema> = {
  register_ack: {
    worker_id: required(string),
    models: required(strings),
    warnings: defaulted(strings),
    protocol_version: option(string),
  },
  request: {
    request_id: required(string),
    model: required(string),
    endpoint_path: required(string),
    is_streaming: required(boolean),
    body: required(string),
    headers: defaulted(headers),
  },
  cancel: { request_id: required(string), reason: required(reason) },
  ping: { timestamp_unix_ms: option(u64) },
  graceful_shutdown: { reason: option(string), drain_timeout_secs: option(u64) },
  models_refresh: { reason: option(string) },
};

/** @throws SyntaxError as the server would fail to read it. */
export function readFromWorker(text: string): FromWorker {
  return readMessage(text, FROM_WORKER) as FromWorker;
}

/** @throws SyntaxError as the worker would fail to read it. */
export function readFromServer(text: string): FromServer {
  return readMessage(text, FROM_SERVER) as FromServer;
}

function readMessage(text: string, schemas: Record<string, Schema>): { type: string } {
  const value = readJson(text);
  const type = value instanceof JsonObject ? value.member("type") : undefined;
  if (typeof type !== "string") throw new SyntaxError("missing field `type`");
  if (!Object.hasOwn(schemas, type)) throw new SyntaxError(`unknown variant \`${type}\``);
  return { type, ...readFields(value, schemas[type]!) };
}

/** What a struct of these fields takes; every other member is ignored. @throws SyntaxError */
export function readFields(value: JsonValue, schema: Schema): Record<string, unknown> {
  if (!(value instanceof JsonObject)) throw new SyntaxError("expected a map");
  const found: Record<string, unknown> = {};
  for (const [name, { read, presence }] of Object.entries(schema)) {
    const member = value.member(name);
    if (member === undefined && presence === "required") throw new SyntaxError(`missing field \`${name}\``);
    if (member === undefined || (member === null && presence === "option")) continue;
    found[name] = read(member);
  }
  return found;
}

/** What the server reads of a client's body; both names are all it looks for. */
export const CHAT_BODY: Schema = { model: required(string), stream: defaulted(boolean) };

function check(value: JsonValue, right: boolean): JsonValue {
  if (!right) throw new SyntaxError(`invalid type: ${JSON.stringify(value)}`);
  return value;
}
