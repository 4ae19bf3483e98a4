import net from "node:net";
import tls from "node:tls";
import type { ByteConnection, ByteHandlers, DialOptions } from "../../shared/runtime/ports.ts";
import { DialError } from "../../shared/runtime/ports.ts";

/** `Runtime.dial` on `node:net`, which Bun and Deno both have: for tests that should not depend on an adapter. */
export function nodeDial(options: DialOptions, handlers: ByteHandlers): Promise<ByteConnection> {
  return new Promise((resolve, reject) => {
    const socket = open(options);
    let failure: Error | undefined;
    const timer = setTimeout(() => socket.destroy(new DialError("timeout", "timed out")), options.timeoutMs);
    socket.once("error", (error) => {
      failure = error;
    });
    socket.once("close", () => {
      clearTimeout(timer);
      reject(failure instanceof DialError ? failure : new DialError("refused", failure?.message ?? "closed"));
    });
    socket.once(options.tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      resolve(connected(socket, handlers));
    });
  });
}

function open({ host, port, address, tls: secure }: DialOptions): net.Socket {
  const target = { host: address ?? host, port };
  if (!secure) return net.connect(target);
  return tls.connect({ ...target, servername: secure.serverName, ...(secure.caPem && { ca: secure.caPem }) });
}

function connected(socket: net.Socket, handlers: ByteHandlers): ByteConnection {
  let closed = false;
  let failure: Error | undefined;
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (!closed) handlers.data(bytes);
  });
  socket.on("drain", () => {
    if (!closed) handlers.drain();
  });
  socket.on("close", () => {
    if (!closed) handlers.closed(failure);
  });
  return {
    write: (bytes) => socket.write(new Uint8Array(bytes)),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}
