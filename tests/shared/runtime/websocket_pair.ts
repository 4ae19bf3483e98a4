import type { Listener, MessageSocket, Runtime } from "../../../shared/runtime/ports.ts";
import type { TestCertificates } from "../../support/certificates.ts";
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

/** Over TLS with certificates. */
export async function pair(runtime: Runtime, made?: TestCertificates): Promise<WebSocketPair> {
  const [serverTold, clientTold] = [new Told(), new Told()];
  const opened = Promise.withResolvers<MessageSocket>();
  const listener = await serve(
    runtime,
    (_, context) => context.upgrade(Object.assign(serverTold, { open: opened.resolve })),
    made && { tls: made.good },
  );
  const client = await dial(runtime, listener, { told: clientTold, made });
  const server = await opened.promise;
  const end = () => listener[Symbol.asyncDispose]();
  return { client, server, clientTold, serverTold, [Symbol.asyncDispose]: end };
}

export function dial(
  runtime: Runtime,
  { port }: Listener,
  { told, made }: { told: Told; made?: TestCertificates | undefined },
): Promise<MessageSocket> {
  const options = { headers: {}, timeoutMs: 2000, maxMessageBytes: MAX_MESSAGE_BYTES };
  return runtime.dialWebSocket(
    made
      ? { ...options, url: `wss://localhost:${port}/`, caPem: [made.authorityPem] }
      : { ...options, url: `ws://127.0.0.1:${port}/` },
    told,
  );
}
