import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type ByteConnection, DialError, type Runtime } from "../../../shared/runtime/ports.ts";
import { settled, until } from "../../support/until.ts";
import { failure, Heard, Peer } from "./peer.ts";
import { bytesOf, HOST, MIB, UNKNOWN_HOST } from "./set_up.ts";

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
    const unknown = runtime.dial({ host: UNKNOWN_HOST, port: 1, timeoutMs: 2000 }, new Heard());
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
