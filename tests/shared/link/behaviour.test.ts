import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkConnection, LinkEvent } from "../../../shared/link/events.ts";
import { FramedConnection } from "../../../shared/link/framed.ts";
import { PlainRelayConnection } from "../../../shared/link/plain_relay.ts";
import { PlainWorkerConnection } from "../../../shared/link/plain_worker.ts";
import { SCENARIOS, type Seen } from "./behaviour.ts";
import { Run } from "./behaviour_run.ts";
import { LinkPair } from "./link_ends.ts";

type MakeConnection = (emit: (event: LinkEvent) => void) => LinkConnection;

interface Form {
  name: string;
  relay: MakeConnection;
  worker: MakeConnection;
  /** What it does otherwise, and why. */
  differs: Record<string, { because: string; sees: Partial<Seen> }>;
}

const FRAMED: Form = {
  name: "framed",
  relay: (emit) => new FramedConnection({ role: "relay", emit }),
  worker: (emit) => new FramedConnection({ role: "worker", emit }),
  differs: {},
};

function plain(name: string, features: string[], differs: Form["differs"]): Form {
  let ids = 0;
  const randomId = () => `id-${++ids}`;
  const peerKnowsMethod = features.includes("method");
  return {
    name,
    relay: (emit) => new PlainRelayConnection({ emit, features, randomId, peerKnowsMethod }),
    worker: (emit) => new PlainWorkerConnection({ emit, features }),
    differs,
  };
}

/** No head came. */
const NONE = 0;

const ANSWERS_ONLY = "ModelRelay's server closes the link over an error, so a failure is an answer";

const PLAIN_DIFFERS: Form["differs"] = {
  "binary in the request": {
    because: "a body is a string in JSON; nothing of it is sent",
    sees: { status: NONE, body: "", over: "reset text_only", worker: "" },
  },
  "binary in the response": {
    because: "a body is a string in JSON; the client gets a failure instead",
    sees: { status: 502, body: "error plain_link_text_only" },
  },
  "repeated header fields": {
    because: "header fields are an object: one value each, of cookies the last",
    sees: {
      headers: [
        ["x-tag", "a, b"],
        ["set-cookie", "b=2"],
      ],
    },
  },
  "the worker refuses": {
    because: ANSWERS_ONLY,
    sees: { status: 503, body: "error worker_refused", over: "end" },
  },
  "the backend cannot be reached": {
    because: ANSWERS_ONLY,
    sees: { status: 502, body: "error backend_unreachable", over: "end" },
  },
  "the backend breaks off a stream": {
    because: "a client behind ModelRelay's server would take the end for a good one: a last event says it",
    sees: { body: "data: 1\n\nevent: error\ndata: error backend_broke_off\n\n" },
  },
  "the client stalls while 20 MiB are streamed": {
    because: "there is no flow control: what piles up at the relay is given up at 16 MiB",
    sees: {
      body: "more than 16 MiB",
      over: "reset overflow",
      worker: "POST /v1/chat/completions {} | reset cancelled | all was taken",
    },
  },
};

const FORMS: Form[] = [
  FRAMED,
  plain("plain, between two Signalboxes", ["method", "head"], PLAIN_DIFFERS),
  plain("plain, as ModelRelay speaks it", [], {
    ...PLAIN_DIFFERS,
    "a GET with a query and an empty answer": {
      because: "ModelRelay's worker posts whatever it is told",
      sees: { status: NONE, over: "reset refused", worker: "" },
    },
  }),
];

test("differences are declared for scenarios that there are", () => {
  const names = new Set(SCENARIOS.map(({ name }) => name));
  assert.ok(names.size >= 15);
  for (const { differs } of FORMS) for (const name of Object.keys(differs)) assert.ok(names.has(name), name);
});

for (const form of FORMS) {
  for (const scenario of SCENARIOS) {
    const difference = form.differs[scenario.name];
    test(`${form.name}: ${scenario.name}${difference ? ` (${difference.because})` : ""}`, () => {
      const run = new Run(
        scenario,
        (run) =>
          new LinkPair({
            relay: { connection: form.relay },
            worker: { connection: form.worker, request: (exchange, head) => run.request(exchange, head) },
          }),
      );
      const seen = run.go();
      const wanted = { ...scenario.sees, ...difference?.sees };
      assert.deepEqual(seen, wanted);
      if (difference) assert.notDeepEqual(wanted, scenario.sees, "a difference that is none");
    });
  }
}
