import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { HALF_STATES, type HalfEvent, type HalfState, nextState } from "../../../shared/link/exchange.ts";
import { FRAME } from "../../../shared/link/frames.ts";
import { FramedEnd, frame, HEAD, requestFrame } from "./framed_ends.ts";

const EVENTS: HalfEvent[] = ["started", "response", "data", "end"];

/** The whole table again, in the order of `EVENTS`; "-" is an error. */
const TABLE: Record<HalfState, string> = {
  request_body: "- - request_body ended",
  awaiting: "started response_body - -",
  started: "- response_body - -",
  response_body: "- - response_body ended",
  ended: "- - - -",
};

test("the table", () => {
  const found = Object.keys(HALF_STATES).map((state) => [
    state,
    EVENTS.map((event) => nextState(state as HalfState, event) ?? "-").join(" "),
  ]);
  assert.deepEqual(Object.fromEntries(found), TABLE);
});

/** How a half of an exchange gets to a state, from its REQUEST on. */
const PATHS: Record<"request" | "response", Partial<Record<HalfState, HalfEvent[]>>> = {
  request: { request_body: [], ended: ["data", "end"] },
  response: {
    awaiting: [],
    started: ["started"],
    response_body: ["started", "response", "data"],
    ended: ["response", "end"],
  },
};

const FRAMES: Record<HalfEvent, Uint8Array> = {
  started: frame(FRAME.STARTED, 1),
  response: frame(FRAME.RESPONSE, 1, [0, 200]),
  data: frame(FRAME.DATA, 1, [1]),
  end: frame(FRAME.END, 1),
};

/** The end that sends a half, and the one that receives it, both with an exchange that is open. */
function endsOf(half: "request" | "response"): { sender: FramedEnd; receiver: FramedEnd } {
  const relay = new FramedEnd("relay");
  relay.connection.openExchange(HEAD);
  const worker = new FramedEnd("worker");
  worker.connection.receive(requestFrame(1));
  relay.messages();
  return half === "request" ? { sender: relay, receiver: worker } : { sender: worker, receiver: relay };
}

const SEND: Record<HalfEvent, (end: FramedEnd) => void> = {
  started: ({ connection }) => connection.sendStarted(1),
  response: ({ connection }) => connection.sendResponse(1, { status: 200, headers: [] }),
  data: ({ connection }) => connection.sendData(1, new Uint8Array(1)),
  end: ({ connection }) => connection.sendEnd(1),
};

let rows = 0;
for (const half of ["request", "response"] as const) {
  for (const [state, path] of Object.entries(PATHS[half]) as [HalfState, HalfEvent[]][]) {
    for (const event of EVENTS) {
      const allowed = nextState(state, event) !== undefined;
      rows++;
      test(`${event} on a ${half} that is ${state} is ${allowed ? "sent" : "a mistake here and a protocol error there"}`, () => {
        const { sender, receiver } = endsOf(half);
        for (const before of path) {
          SEND[before](sender);
          receiver.connection.receive(FRAMES[before]);
        }
        // From the relay STARTED and RESPONSE are refused for being a worker's.
        const receive = () => receiver.connection.receive(FRAMES[event]);
        if (allowed) {
          SEND[event](sender);
          receive();
          assert.equal(receiver.types().at(-1), event);
        } else {
          assert.throws(() => SEND[event](sender), /Cannot send/);
          assert.throws(receive, LinkProtocolError);
        }
      });

      test(`after a RESET of a ${half} that is ${state}, ${event} is ignored here and dropped there`, () => {
        const { sender, receiver } = endsOf(half);
        for (const before of path) {
          SEND[before](sender);
          receiver.connection.receive(FRAMES[before]);
        }
        sender.connection.sendReset(1, "cancelled", "");
        receiver.connection.receive(frame(FRAME.RESET, 1, [0]));
        sender.messages();
        SEND[event](sender);
        assert.deepEqual(sender.messages(), []);
        const before = receiver.types();
        assert.equal(before.at(-1), "reset");
        const fromRelay = half === "request" && (event === "started" || event === "response");
        if (!fromRelay) receiver.connection.receive(FRAMES[event]);
        assert.deepEqual(receiver.types(), before);
        assert.equal(receiver.connection.dropped, fromRelay ? 0 : 1);
        assert.deepEqual([sender.connection.open, receiver.connection.open], [0, 0]);
      });
    }
  }
}

test("every state of the table has its rows", () => {
  const states = new Set([...Object.keys(PATHS.request), ...Object.keys(PATHS.response)]);
  assert.deepEqual([...states].sort(), Object.keys(HALF_STATES).sort());
  assert.equal(rows, 6 * EVENTS.length);
});
