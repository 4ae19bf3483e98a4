import type { LinkConnection, LinkEvent, LinkRequestHead } from "../../../shared/link/events.ts";
import { PlainRelayConnection, type PlainRelayOptions } from "../../../shared/link/plain_relay.ts";
import { PlainWorkerConnection } from "../../../shared/link/plain_worker.ts";
import { type SocketProbe, until } from "../../support/modelrelay/probe.ts";

/** An event as it can be compared, bytes as text. */
export type SeenEvent = Record<string, unknown> & { type: string };

export const HEAD: LinkRequestHead = {
  method: "POST",
  target: "/v1/chat/completions",
  headers: [["content-type", "application/json"]],
  hasBody: true,
  streaming: false,
  upgrade: false,
  model: "m",
};

/** As the code above the link sees it. */
type CountingConnection = LinkConnection & { readonly dropped: number };

export function relayEnd(options: Partial<PlainRelayOptions> = {}) {
  const events: SeenEvent[] = [];
  let ids = 0;
  const connection: CountingConnection = new PlainRelayConnection({
    emit: (event) => events.push(seen(event)),
    randomId: () => `id-${++ids}`,
    peerKnowsMethod: false,
    features: [],
    ...options,
  });
  const end = { connection, events, sent: () => allMessages(connection) };
  return {
    ...end,
    /** Open an exchange with this body and say which messages left for it. */
    open(head: Partial<LinkRequestHead> = {}, body = "{}") {
      const exchange = connection.openExchange({ ...HEAD, ...head });
      if (body !== "") connection.sendData(exchange, bytes(body));
      connection.sendEnd(exchange);
      return { exchange, messages: end.sent() };
    },
    receive: (message: object) => connection.receive(JSON.stringify(message)),
  };
}

export function workerEnd(features: string[] = [], also: (event: LinkEvent) => void = () => {}) {
  const events: SeenEvent[] = [];
  const emit = (event: LinkEvent) => {
    events.push(seen(event));
    also(event);
  };
  const connection: CountingConnection = new PlainWorkerConnection({ emit, features });
  return {
    connection,
    events,
    sent: () => allMessages(connection),
    receive: (message: object) => connection.receive(JSON.stringify(message)),
    /** A request comes; its exchange. */
    request(message: object = {}): number {
      connection.receive(JSON.stringify({ ...REQUEST, ...message }));
      return events.findLast((event) => event.type === "request")?.exchange as number;
    },
  };
}

export const REQUEST = {
  type: "request",
  request_id: "r1",
  model: "m",
  endpoint_path: "/v1/chat/completions",
  is_streaming: false,
  body: "{}",
};

/** Everything that wants to be sent now. */
export function allTexts(connection: LinkConnection): string[] {
  const texts: string[] = [];
  for (let text = connection.next(); text !== undefined; text = connection.next()) texts.push(text as string);
  return texts;
}

function allMessages(connection: LinkConnection): Record<string, unknown>[] {
  return allTexts(connection).map((text) => JSON.parse(text));
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function seen(event: LinkEvent): SeenEvent {
  if (event.type !== "data") return structuredClone(event) as SeenEvent;
  return {
    type: "data",
    exchange: event.exchange,
    text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(event.bytes),
  };
}

/** Carry what came and what wants to leave, until something is true. */
export async function pump(
  connection: LinkConnection,
  socket: SocketProbe,
  what: () => unknown,
): Promise<void> {
  await until(() => {
    for (const text of socket.texts.splice(0))
      if (!text.startsWith('{"type":"register')) connection.receive(text);
    for (const text of allTexts(connection)) socket.send(text);
    return what();
  }, `${what}`);
}
