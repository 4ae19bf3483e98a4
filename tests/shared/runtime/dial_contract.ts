import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import net from "node:net";
import { test } from "node:test";
import type { ByteConnection, ByteHandlers, Runtime } from "../../../shared/runtime/ports.ts";
import { DialError } from "../../../shared/runtime/ports.ts";
import { settled, until } from "../../support/until.ts";
import { bytesOf, HOST, MIB } from "./set_up.ts";

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

/** Writes until the connection stays full. */
async function fill(connection: ByteConnection, heard: Heard): Promise<{ written: number; sum: string }> {
  const hash = createHash("sha256");
  for (let written = 0, i = 0; ; ) {
    for (let room = true; room; i++) {
      const chunk = new Uint8Array(100_000).fill(i);
      room = connection.write(chunk);
      hash.update(chunk);
      written += chunk.length;
      // The caller's again: what is kept is a copy.
      chunk.fill(0xff);
    }
    heard.drains = 0;
    const drained = await until(() => heard.drains > 0, "drain", 300).then(
      () => true,
      () => false,
    );
    if (!drained) return { written, sum: hash.copy().digest("hex") };
  }
}

export function dialContract(runtime: Runtime): void {
  test("bytes go both ways, and the peer's end is told of once", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const port = await peer.listen();
    const connection = await runtime.dial({ host: HOST, port, timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    assert.equal(connection.write(bytesOf("ping")), true);
    await until(() => peer.received === 4, "ping");
    socket.end("pong");
    await until(() => heard.ends.length === 1, "the end");
    assert.equal(heard.received.toString(), "pong");
    assert.deepEqual(heard.ends, [undefined]);
    connection.close();
    assert.equal(connection.write(bytesOf("x")), false);
    assert.deepEqual([heard.ends.length, heard.drains], [1, 0]);
  });

  test("a peer that resets is an end with an error", async () => {
    using peer = new Peer();
    const heard = new Heard();
    await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    (await peer.connected()).resetAndDestroy();
    await until(() => heard.ends.length === 1, "the end");
    assert.ok(heard.ends[0] instanceof Error);
  });

  test("our own close reaches the peer and calls nobody", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const connection = await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    connection.close();
    connection.close();
    await until(() => peer.ended, "the peer's end");
    socket.destroy();
    assert.deepEqual([heard.ends.length, heard.drains], [0, 0]);
  });

  test("a peer that reads nothing stops the writer, and nothing is lost when it goes on", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const connection = await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    socket.pause();
    const { written, sum } = await fill(connection, heard);
    assert.ok(written < 32 * MIB, `${written} bytes were taken`);
    socket.resume();
    await until(() => peer.received === written, "all bytes");
    assert.equal(heard.drains, 1);
    assert.equal(peer.hash.digest("hex"), sum);
  });

  test("closing while the peer is behind ends the connection", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const connection = await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    socket.pause();
    await fill(connection, heard);
    heard.drains = 0;
    connection.close();
    socket.resume();
    await until(() => peer.ended, "the peer's end");
    assert.deepEqual([heard.ends.length, heard.drains], [0, 0]);
  });

  test("a paused connection stops its peer, and loses nothing when it goes on", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const connection = await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    connection.pause();
    const size = 64 * MIB;
    let taken = 0;
    socket.on("drain", () => push());
    const push = () => {
      while (taken < size) {
        taken += MIB;
        if (!socket.write(Buffer.alloc(MIB, taken / MIB))) return;
      }
      socket.end();
    };
    push();
    assert.ok((await settled(() => taken)) < size / 2, `${taken} bytes were taken`);
    assert.ok(heard.received.length <= 64 * 1024, "one read that was under way");
    let length = heard.received.length;
    heard.data = (bytes) => {
      length += bytes.length;
    };
    connection.resume();
    await until(() => heard.ends.length === 1, "the end");
    assert.equal(length, size);
    assert.deepEqual(heard.ends, [undefined]);
  });

  test("what a peer sent before it closed is delivered although writing fails", async () => {
    using peer = new Peer();
    const heard = new Heard();
    const connection = await runtime.dial({ host: HOST, port: await peer.listen(), timeoutMs: 2000 }, heard);
    const socket = await peer.connected();
    socket.end("too much");
    connection.write(new Uint8Array(1000));
    await until(() => heard.ends.length === 1, "the end");
    assert.equal(heard.received.toString(), "too much");
  });

  test("why there is no connection is known", async () => {
    const refused = await failure(runtime.dial({ host: HOST, port: 1, timeoutMs: 2000 }, new Heard()));
    assert.equal(refused.kind, "refused");
    assert.match(refused.message, /^Cannot connect to 127.0.0.1:1: /);
    const unknown = runtime.dial({ host: "nobody.invalid", port: 1, timeoutMs: 5000 }, new Heard());
    assert.equal((await failure(unknown)).kind, "resolve");
  });

  test("localhost finds the family that listens", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      using peer = new Peer();
      const port = await peer.listen(host);
      // Where localhost has one address only, there is nothing to find.
      const address = { host: "localhost", port, timeoutMs: 2000 };
      const connection = await runtime.dial(address, new Heard()).catch((error: DialError) => error);
      if (connection instanceof DialError) assert.equal(connection.kind, "refused");
      else connection.close();
      if (host === "127.0.0.1") assert.ok(!(connection instanceof DialError));
    }
  });

  test("an IPv6 address is dialled as it is", async () => {
    using peer = new Peer();
    const connection = await runtime.dial(
      { host: "::1", port: await peer.listen("::1"), timeoutMs: 2000 },
      new Heard(),
    );
    await peer.connected();
    connection.close();
  });

  test("a pinned address is dialled whatever the name", async () => {
    using peer = new Peer();
    const port = await peer.listen();
    const connection = await runtime.dial(
      { host: "nobody.invalid", address: HOST, port, timeoutMs: 2000 },
      new Heard(),
    );
    await peer.connected();
    connection.close();
  });
}
