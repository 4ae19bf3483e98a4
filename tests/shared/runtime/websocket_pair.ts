import type { Listener, MessageSocket, Runtime } from "../../../shared/runtime/ports.ts";
import { MIB, serve, Told } from "./set_up.ts";

/** What either end of a `WebSocketPair` lets through. */
export const MAX_MESSAGE_BYTES = 2 * MIB;

/** Of a WebSocket. */
export type Side = "client" | "server";

/** Both ends of one WebSocket. */
export interface WebSocketPair extends AsyncDisposable {
  client: MessageSocket;
  server: MessageSocket;
  clientTold: Told;
  serverTold: Told;
}

export async function pair(runtime: Runtime, clientTold = new Told()): Promise<WebSocketPair> {
  const serverTold = new Told();
  const opened = Promise.withResolvers<MessageSocket>();
  const listener = await serve(runtime, (_, context) => {
    return context.upgrade(Object.assign(serverTold, { open: opened.resolve }));
  });
  const client = await dial(runtime, listener, clientTold);
  const server = await opened.promise;
  const end = () => listener[Symbol.asyncDispose]();
  return { client, server, clientTold, serverTold, [Symbol.asyncDispose]: end };
}

export function dial(runtime: Runtime, { port }: Listener, told = new Told()): Promise<MessageSocket> {
  const url = `ws://127.0.0.1:${port}/`;
  return runtime.dialWebSocket(
    { url, headers: {}, timeoutMs: 2000, maxMessageBytes: MAX_MESSAGE_BYTES },
    told,
  );
}
