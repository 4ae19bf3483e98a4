import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime } from "../../../shared/runtime/ports.ts";
import { MIB, RawClient, serve } from "./set_up.ts";
import { TestBody } from "./test_body.ts";

/** More than the kernels at both ends hold together. */
const LONG_BYTES = 32 * MIB;

/** Request bodies that nobody takes. */
export function unwantedBodyContract(runtime: Runtime): void {
  test("a body is refused in a coding that nobody would undo, and from who may not know chunks", async () => {
    let asked = 0;
    await using server = await serve(runtime, () => {
      asked++;
      return new Response();
    });
    for (const [version, coding] of [
      ["1.1", "gzip, chunked"],
      ["1.0", "chunked"],
    ]) {
      const head = `POST / HTTP/${version}\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n`;
      using client = new RawClient(server.port, `${head}2\r\nhi\r\n0\r\n\r\n`);
      await client.closed();
      assert.match(client.text, /^HTTP\/1.1 400 /);
    }
    assert.equal(asked, 0);
  });

  test("a client need not read the answer to get rid of a body that nobody wants", async () => {
    const answer = new TestBody();
    await using server = await serve(runtime, async (request) => {
      const reader = request.body!.getReader();
      await reader.read();
      await reader.cancel();
      return new Response(runtime.streamingBody(answer));
    });
    using client = new RawClient(
      server.port,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LONG_BYTES}\r\n\r\n`,
    );
    let hasLeft = false;
    client.socket.write(new Uint8Array(LONG_BYTES), () => {
      hasLeft = true;
    });
    const sink = await answer.started();
    await client.until(() => hasLeft, "the end of the body");
    sink.end();
    await client.complete();
  });
}
