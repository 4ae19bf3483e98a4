import assert from "node:assert/strict";
import { ResponseParser } from "../../../shared/http1/response_parser.ts";
import { Http1Failure, type Http1ResponseHead } from "../../../shared/http1/types.ts";

/** What became of the bytes of one response, the same however they were cut. */
export interface Outcome {
  head?: Http1ResponseHead;
  body: string;
  /**
   * - `reusable`: complete, and the connection may serve on
   * - `complete`: complete, and the connection is to be closed
   * - `complete_at_close`: complete when the connection closed, not before
   * - `switched`: 101; the body is what came behind it
   * - `invalid`, `broke_off`: the failure
   */
  ends: "reusable" | "complete" | "complete_at_close" | "switched" | "invalid" | "broke_off";
}

/** Feed a response in pieces and close the connection. Fails on events that are out of order. */
export function outcomeOf(method: string, pieces: Uint8Array[]): Outcome {
  const body: Uint8Array[] = [];
  const seen: Seen = { ended: false, switched: false, body };
  const parser = new ResponseParser({
    head(head) {
      assert.equal(seen.head, undefined, "a second head");
      seen.head = head;
    },
    data(bytes) {
      assert.ok(seen.head && !seen.ended && bytes.length > 0, "data out of order");
      body.push(new Uint8Array(bytes));
    },
    end() {
      assert.ok(seen.head && !seen.ended, "end out of order");
      seen.ended = true;
    },
    switched(head, rest) {
      assert.equal(seen.head, undefined, "a second head");
      seen.head = head;
      seen.switched = true;
      body.push(new Uint8Array(rest));
    },
  });
  parser.begin(method);
  const ends = feed(parser, pieces, seen);
  return { ...(seen.head && { head: seen.head }), body: Buffer.concat(body).toString("latin1"), ends };
}

interface Seen {
  head?: Http1ResponseHead;
  ended: boolean;
  switched: boolean;
  readonly body: Uint8Array[];
}

function feed(parser: ResponseParser, pieces: Uint8Array[], seen: Seen): Outcome["ends"] {
  try {
    for (const piece of pieces) {
      // From there on the parser has nothing to do with what comes.
      if (seen.switched) {
        seen.body.push(piece);
        continue;
      }
      // What a handler keeps must be its own copy: the bytes are gone when the call returns.
      const lent = new Uint8Array(piece);
      parser.receive(lent);
      if (!seen.switched) lent.fill(0x58);
    }
    if (seen.switched) return "switched";
    if (seen.ended) return parser.reusable ? "reusable" : "complete";
    parser.eof();
    assert.ok(seen.ended, "neither an end nor a failure");
    return "complete_at_close";
  } catch (error) {
    assert.ok(error instanceof Http1Failure, `another exception: ${error}`);
    assert.ok(error.kind === "invalid" || error.kind === "broke_off", error.kind);
    assertSilent(parser);
    return error.kind;
  }
}

/** A failure is told once, and nothing comes after it. */
function assertSilent(parser: ResponseParser): void {
  parser.receive(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
  parser.eof();
  assert.equal(parser.reusable, false);
}
