import assert from "node:assert/strict";
import { test } from "node:test";
import type { DialError, MessageSocket, Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { bytesOf, MIB, serve, Told } from "./set_up.ts";
import { dial, MAX_MESSAGE_BYTES, pair } from "./websocket_pair.ts";

/** Sends a message with all of `bytes` until the socket is full. How many it was. */
function fill(socket: MessageSocket, bytes: Uint8Array): number {
  for (let sent = 1; sent < 1000; sent++) {
    const result = socket.send(bytes);
    assert.notEqual(result, "lost");
    if (result === "full") return sent;
  }
  throw new Error("The socket was never full");
}

export function webSocketContract(runtime: Runtime): void {
  test("text and binary messages keep their kind, their length and their order, both ways", async () => {
    await using both = await pair(runtime);
    const messages = [
      "",
      "é",
      new Uint8Array(0),
      new Uint8Array([0, 255]),
      "x".repeat(MIB),
      new Uint8Array(MIB).fill(7),
    ];
    for (const [from, told] of [
      [both.client, both.serverTold],
      [both.server, both.clientTold],
    ] as const) {
      for (const message of messages) assert.notEqual(from.send(message), "lost");
      await until(() => told.messages.length === messages.length, "all messages");
      for (const [i, received] of told.messages.entries()) {
        if (typeof received === "string") assert.ok(received === messages[i]);
        else
          assert.ok(
            received instanceof Uint8Array && Buffer.compare(received, messages[i] as Uint8Array) === 0,
          );
      }
    }
  });

  test("a message may be kept: the next one does not overwrite it", async () => {
    await using both = await pair(runtime);
    for (const [from, told] of [
      [both.client, both.serverTold],
      [both.server, both.clientTold],
    ] as const) {
      for (let i = 0; i < 50; i++) from.send(new Uint8Array(20_000).fill(i));
      await until(() => told.messages.length === 50, "all messages");
      for (const [i, message] of told.messages.entries()) {
        assert.ok((message as Uint8Array).every((byte) => byte === i));
      }
    }
  });

  test("what a server sends as soon as it is open reaches a client that is told so first", async () => {
    const order: string[] = [];
    await using listener = await serve(runtime, (_, context) => {
      return context.upgrade(
        Object.assign(new Told(), { open: (socket: MessageSocket) => socket.send("at once") }),
      );
    });
    const told = Object.assign(new Told(), {
      open: () => order.push("open"),
      message: (data: string | Uint8Array) => order.push(String(data)),
    });
    await dial(runtime, listener, { told });
    await until(() => order.length === 2, "the message");
    assert.deepEqual(order, ["open", "at once"]);
  });

  test("a message over the limit closes the socket", async () => {
    await using both = await pair(runtime);
    both.client.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    await until(() => both.clientTold.closes.length === 1, "the close");
    assert.deepEqual(both.serverTold.messages, []);
    await using other = await pair(runtime);
    other.server.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    await until(() => other.serverTold.closes.length === 1, "the close");
    assert.deepEqual(other.clientTold.messages, []);
  });

  for (const side of ["client", "server"] as const) {
    const other = side === "client" ? "server" : "client";

    test(`what a ${side} sent is its own again, also while the other side is behind`, async () => {
      await using both = await pair(runtime);
      const bytes = new Uint8Array(MIB);
      const count = 24;
      // More than any kernel takes, in one turn.
      for (let i = 0; i < count; i++) assert.notEqual(both[side].send(bytes.fill(i)), "lost");
      bytes.fill(0xff);
      const { messages } = both[`${other}Told`];
      await until(() => messages.length === count, "all messages");
      for (const [i, message] of messages.entries()) {
        assert.ok(
          (message as Uint8Array).every((byte) => byte === i),
          `message ${i}`,
        );
      }
    });

    test(`a ${side} that is full says so, keeps what it was given, and tells when there is room`, async () => {
      const message = new Uint8Array(64 * 1024);
      let received = 0;
      const slow = Promise.withResolvers<void>();
      await using both = await pair(runtime);
      const [from, fromTold] = [both[side], both[`${side}Told`]];
      both[`${other}Told`].message = () => {
        received++;
        slow.resolve();
      };
      let sent = 0;
      for (let round = 1; round <= 3; round++) {
        sent += fill(from, message);
        assert.ok(from.bufferedBytes > 0);
        assert.ok(from.bufferedBytes < 32 * MIB, `${from.bufferedBytes} bytes wait`);
        await until(() => fromTold.drains === round, "drain");
        await until(() => received === sent, "all messages");
      }
      assert.equal(from.bufferedBytes, 0);
    });

    test(`a close by the ${side} has its code and reason on both sides`, async () => {
      for (const [code, reason] of [
        [1000, ""],
        [1000, "done"],
        [4001, "é".repeat(50)],
      ] as const) {
        await using both = await pair(runtime);
        both[side].close(code, reason);
        both[side].close(code, reason);
        await until(() => both.clientTold.closes.length + both.serverTold.closes.length === 2, "both closes");
        assert.deepEqual(both[`${other}Told`].closes, [[code, reason]]);
        assert.deepEqual(both[`${side}Told`].closes[0]![0], code);
        assert.equal(both[side].send("too late"), "lost");
      }
    });

    test(`a reason from the ${side} that does not fit is cut at a character`, async () => {
      await using both = await pair(runtime);
      both[side].close(1000, "é".repeat(100));
      await until(() => both[`${other}Told`].closes.length === 1, "the close");
      assert.deepEqual(both[`${other}Told`].closes, [[1000, "é".repeat(61)]]);
    });

    test(`a close by the ${side} with 1005 has no code, and 1006 is no handshake`, async () => {
      await using both = await pair(runtime);
      both[side].close(1005, "");
      await until(() => both[`${other}Told`].closes.length === 1, "the close");
      assert.equal(both[`${other}Told`].closes[0]![0], 1005);
      await using next = await pair(runtime);
      next[side].close(1006, "");
      await until(() => next[`${side}Told`].closes.length === 1, "the close");
      assert.equal(next[`${side}Told`].closes[0]![0], 1006);
    });

    test(`terminate by the ${side} ends it without a handshake`, async () => {
      await using both = await pair(runtime);
      both[side].terminate();
      await until(() => both.clientTold.closes.length + both.serverTold.closes.length === 2, "both closes");
      assert.deepEqual([both.clientTold.closes[0]![0], both.serverTold.closes[0]![0]], [1006, 1006]);
    });

    test(`a ping by the ${side} is answered, and either is told of`, async () => {
      await using both = await pair(runtime);
      both[side].ping();
      await until(() => both.clientTold.pongs === 1 && both.serverTold.pongs === 1, "ping and pong");
    });
  }

  test("a server's own codes reach the client", async () => {
    for (const code of [1001, 1008, 1011, 1012, 1013]) {
      await using both = await pair(runtime);
      both.server.close(code, "why");
      await until(() => both.clientTold.closes.length === 1, "the close");
      assert.deepEqual(both.clientTold.closes, [[code, "why"]]);
    }
  });

  test("a client's codes reach the server", async () => {
    for (const code of [1001, 1008, 1011]) {
      await using both = await pair(runtime);
      both.client.close(code, "why");
      await until(() => both.serverTold.closes.length === 1, "the close");
      assert.deepEqual(both.serverTold.closes, [[code, "why"]]);
    }
  });

  test("a socket that is closed by its client's end is told of", async () => {
    await using both = await pair(runtime);
    both.server.close(1000, "");
    await until(
      () => both.clientTold.closes.length === 1 && both.serverTold.closes.length === 1,
      "both closes",
    );
    assert.equal(both.client.send("x"), "lost");
    assert.equal(both.server.send(bytesOf("x")), "lost");
    both.client.close(1000, "");
    both.server.terminate();
    assert.equal(both.clientTold.closes.length + both.serverTold.closes.length, 2);
  });

  test("the status of a refused handshake is known", async () => {
    await using listener = await serve(runtime, async (request) => {
      await Promise.resolve();
      return new Response("no", { status: Number(request.headers.get("x-status")) });
    });
    for (const status of [200, 302, 401, 404, 429, 503]) {
      const options = { headers: { "X-Status": String(status) }, timeoutMs: 2000, maxMessageBytes: MIB };
      const url = `ws://127.0.0.1:${listener.port}/path?secret=1`;
      const error = await runtime.dialWebSocket({ ...options, url }, new Told()).then(
        () => assert.fail("it opened"),
        (error: DialError) => error,
      );
      assert.deepEqual([error.name, error.kind, error.status], ["DialError", "handshake", status]);
      assert.ok(!error.message.includes("secret"), error.message);
    }
  });
}
