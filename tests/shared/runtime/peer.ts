import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import net from "node:net";
import { type ByteHandlers, DialError } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { HOST } from "./set_up.ts";

/** What a connection told, bytes copied as they are valid during the call only. */
export class Heard implements ByteHandlers {
  received = Buffer.alloc(0);
  drains = 0;
  ends: (Error | undefined)[] = [];

  data(bytes: Uint8Array): void {
    this.received = Buffer.concat([this.received, bytes]);
  }
  drain(): void {
    this.drains++;
  }
  closed(error?: Error): void {
    this.ends.push(error);
  }
}

/** A TCP server, and its end of the first connection. */
export class Peer implements Disposable {
  socket!: net.Socket;
  received = 0;
  readonly hash = createHash("sha256");
  ended = false;
  readonly server: net.Server;

  constructor(server = net.createServer({ allowHalfOpen: true })) {
    this.server = server;
    server.on(
      server instanceof net.Server && "setSecureContext" in server ? "secureConnection" : "connection",
      (socket) => {
        this.socket = socket;
        socket.on("data", (chunk: Buffer) => {
          this.received += chunk.length;
          this.hash.update(chunk);
        });
        socket.on("end", () => {
          this.ended = true;
        });
        socket.on("error", () => {
          this.ended = true;
        });
      },
    );
  }

  async listen(host = HOST): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, host, resolve));
    return (this.server.address() as net.AddressInfo).port;
  }

  async connected(): Promise<net.Socket> {
    await until(() => this.socket !== undefined, "a connection");
    return this.socket;
  }

  [Symbol.dispose](): void {
    this.socket?.destroy();
    this.server.close();
  }
}

/** The DialError that dialling ends in. */
export function failure(dialled: Promise<unknown>): Promise<DialError> {
  return dialled.then(
    () => assert.fail("it connected"),
    (error: unknown) => {
      assert.ok(error instanceof DialError, String(error));
      return error;
    },
  );
}
