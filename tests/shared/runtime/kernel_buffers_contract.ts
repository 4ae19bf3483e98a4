import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { UNSENT_BYTES } from "../../../shared/runtime/kernel_buffers.ts";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { lacks } from "./differences.ts";
import { Heard, Peer } from "./peer.ts";
import { get, HOST, MIB, RawClient, serve } from "./set_up.ts";
import { fill, TestBody } from "./test_body.ts";

const KIB = 1024;

/** What a client's own kernel takes before it is read, a piece that was under way, and the runtime's own queues. */
const BEYOND_BYTES = 512 * KIB;

/** For the `skip` of a test: Linux has these limits, others keep what they like. */
const notLinux = process.platform === "linux" ? false : "these limits are Linux's";

/** How much the kernel keeps for a peer that reads nothing, and of what nobody here reads. */
export function kernelBuffersContract(runtime: Runtime): void {
  test("the kernel keeps little for a client that reads nothing", { skip: notLinux }, async () => {
    const body = new TestBody();
    await using server = await serve(runtime, () => new Response(runtime.streamingBody(body)));
    using client = new RawClient(server.port, get("/"));
    client.socket.pause();
    const written = await fill(await body.started(), body);
    assert.ok(written < UNSENT_BYTES + BEYOND_BYTES, `${written} bytes were taken`);
  });

  const skip = notLinux || lacks(runtime, "unreadLimit");
  test("a read brings no more than the kernel may keep", { skip }, async () => {
    using peer = new Peer();
    const heard = new Heard();
    const lengths: number[] = [];
    heard.data = ({ length }) => lengths.push(length);
    const unreadBytes = 16 * KIB;
    const port = await peer.listen();
    const connection = await runtime.dial({ host: HOST, port, timeoutMs: 2000, unreadBytes }, heard);
    (await peer.connected()).end(Buffer.alloc(16 * MIB));
    await until(() => heard.ends.length === 1, "the end");
    connection.close();
    const sum = lengths.reduce((total, length) => total + length, 0);
    assert.equal(sum, 16 * MIB);
    assert.ok(Math.max(...lengths) <= 4 * unreadBytes, `${Math.max(...lengths)} bytes came at once`);
  });
}
