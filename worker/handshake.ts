import type { Labels } from "../shared/labels.ts";
import { LinkProtocolError } from "../shared/link/events.ts";
import { FEATURE, type MessageNamed, PROTOCOL_VERSION, parseRelayMessage } from "../shared/link/messages.ts";

/** What a worker says of itself when it registers. */
export interface Registration {
  workerName: string;
  models: readonly string[];
  maxConcurrency: number;
  endpointPrefixes: readonly string[];
  /** A random id of this process: a reconnect replaces the old link instead of standing beside it. */
  session: string;
  currentLoad: number;
  labels: Labels;
  /** Speak ModelRelay's protocol even to a relay that knows better. */
  plain: boolean;
}

/** Where a worker connects to. `relayUrl`: http(s) or ws(s), a base path is kept, trailing slashes are not. */
export function connectUrl(relayUrl: string, provider: string): string {
  const base = relayUrl.replace(/\/+$/, "").replace(/^http/, "ws");
  return `${base}/v1/worker/connect?provider=${encodeURIComponent(provider)}`;
}

/** What the relay reads before it upgrades. The link header earns a plain refusal (401, 429) for a bad secret. */
export function connectHeaders(secret: string | undefined, plain: boolean): Record<string, string> {
  return {
    ...(secret !== undefined && { "x-worker-secret": secret }),
    ...(!plain && { "x-signalbox-link": FEATURE.framed }),
  };
}

/** The first message. A ModelRelay server reads the fields it knows and ignores the rest. */
export function registerMessage(registration: Registration): MessageNamed<"register"> {
  const { endpointPrefixes, labels, plain } = registration;
  return {
    type: "register",
    worker_name: registration.workerName,
    models: [...registration.models],
    max_concurrent: registration.maxConcurrency,
    protocol_version: PROTOCOL_VERSION,
    current_load: registration.currentLoad,
    ...(endpointPrefixes.length > 0 && { endpoint_prefixes: [...endpointPrefixes] }),
    features: [...(plain ? [] : [FEATURE.framed]), FEATURE.method, FEATURE.head],
    ...(Object.keys(labels).length > 0 && { labels }),
    session: registration.session,
  };
}

/** Read the relay's first answer. @throws LinkProtocolError when it is not a `register_ack`. */
export function readAck(message: string | Uint8Array): MessageNamed<"register_ack"> {
  const ack = typeof message === "string" ? parseRelayMessage(message) : undefined;
  if (ack?.type === "register_ack") return ack;
  throw new LinkProtocolError(
    `Cannot register: wanted register_ack, found ${ack?.type ?? "a binary message"}`,
  );
}
