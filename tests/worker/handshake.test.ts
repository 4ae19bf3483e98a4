import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LinkProtocolError } from "../../shared/link/events.ts";
import {
  connectHeaders,
  connectUrl,
  type Registration,
  readAck,
  registerMessage,
} from "../../worker/handshake.ts";

describe("connectUrl()", () => {
  for (const [relay, provider, url] of [
    ["http://127.0.0.1:8080", "local", "ws://127.0.0.1:8080/v1/worker/connect?provider=local"],
    ["https://relay.example", "home", "wss://relay.example/v1/worker/connect?provider=home"],
    ["ws://relay.example/", "home", "ws://relay.example/v1/worker/connect?provider=home"],
    ["https://relay.example/base//", "home", "wss://relay.example/base/v1/worker/connect?provider=home"],
    [
      "http://relay.example",
      "home/4090 & co",
      "ws://relay.example/v1/worker/connect?provider=home%2F4090%20%26%20co",
    ],
  ] as const) {
    test(`${relay} for ${provider}`, () => assert.equal(connectUrl(relay, provider), url));
  }
});

test("connectHeaders() shows the secret, and asks for a plain refusal unless the link is to be plain", () => {
  assert.deepEqual(connectHeaders("s3cret", false), {
    "x-worker-secret": "s3cret",
    "x-signalbox-link": "framed.1",
  });
  assert.deepEqual(connectHeaders(undefined, true), {});
});

const registration: Registration = {
  workerName: "gpu-1",
  models: ["m"],
  maxConcurrency: 4,
  endpointPrefixes: [],
  session: "0f",
  currentLoad: 1,
  labels: {},
  plain: false,
};

describe("registerMessage()", () => {
  test("holds what ModelRelay's server wants, and our own members beside it", () => {
    assert.deepEqual(registerMessage(registration), {
      type: "register",
      worker_name: "gpu-1",
      models: ["m"],
      max_concurrent: 4,
      protocol_version: "2026-04-bridge-v1",
      current_load: 1,
      features: ["framed.1", "method", "head"],
      session: "0f",
    });
  });

  test("names prefixes when there are some", () => {
    assert.deepEqual(registerMessage({ ...registration, endpointPrefixes: ["/v1"] }).endpoint_prefixes, [
      "/v1",
    ]);
  });

  test("holds labels when some are declared, whichever form the link is to have", () => {
    const labels = { zdr: true, models: { m: { price: { prompt: 0.1 } } } };
    for (const plain of [false, true])
      assert.deepEqual(registerMessage({ ...registration, labels, plain }).labels, labels);
  });

  test("does not offer the framed form when the link is to be plain", () => {
    assert.deepEqual(registerMessage({ ...registration, plain: true }).features, ["method", "head"]);
  });
});

describe("readAck()", () => {
  test("reads ModelRelay's", () => {
    const ack = readAck('{"type":"register_ack","worker_id":"worker-1","models":["m"]}');
    assert.equal(ack.worker_id, "worker-1");
  });

  for (const message of ['{"type":"ping"}', "not JSON", "{}", new Uint8Array(3)]) {
    test(`refuses ${typeof message === "string" ? message : "bytes"}`, () => {
      assert.throws(() => readAck(message), LinkProtocolError);
    });
  }
});
