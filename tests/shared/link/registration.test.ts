import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkProtocolError } from "../../../shared/link/events.ts";
import { type MessageNamed, serialise } from "../../../shared/link/messages.ts";
import { acceptRegister, REGISTRATION_LIMITS } from "../../../shared/link/registration.ts";

const REGISTER: MessageNamed<"register"> = {
  type: "register",
  worker_name: "probe",
  models: ["m", "x"],
  max_concurrent: 4,
};

function accept(more: Partial<MessageNamed<"register">> = {}, features: string[] = []) {
  return acceptRegister({ ...REGISTER, ...more }, { workerId: "worker-3", features });
}

test("acceptRegister() answers ModelRelay's worker as ModelRelay's server does, byte for byte", () => {
  const full = accept({ models: [" m ", "m", "", "*", "n"], protocol_version: "2026-04-bridge-v1" }, [
    "framed.1",
  ]);
  assert.equal(
    serialise(full.ack),
    '{"type":"register_ack","worker_id":"worker-3","models":["m","*","n"],"protocol_version":"2026-04-bridge-v1"}',
  );
  const minimal = accept({ worker_name: " ", models: [" "], max_concurrent: 0 });
  assert.equal(
    serialise(minimal.ack),
    '{"type":"register_ack","worker_id":"worker-3","models":[],"warnings":["worker_name was empty after trimming","worker registered without any routable models"]}',
  );
  assert.equal(minimal.registration.maxConcurrent, 1);
});

test("W14: acceptRegister() refuses another protocol version and takes none", () => {
  assert.throws(() => accept({ protocol_version: "2026-05-bridge-v2" }), LinkProtocolError);
  assert.throws(() => accept({ protocol_version: "" }), /must be 2026-04-bridge-v1 or absent: found ""/);
  assert.equal(accept().ack.protocol_version, undefined);
});

test("acceptRegister() keeps what a worker says of itself within bounds, with a warning each", () => {
  const { registration, ack, warnings } = accept({
    worker_name: `${"n".repeat(127)}\u{1f600}`,
    models: ["x".repeat(257), ...Array.from({ length: 1030 }, (_, index) => `m${index}`)],
    max_concurrent: 2 ** 32 - 1,
    session: "s".repeat(129),
    provider_variant: "",
    labels: { price: "x".repeat(REGISTRATION_LIMITS.labelsUnits) },
    endpoint_prefixes: ["v1"],
  });
  assert.equal(registration.name, `${"n".repeat(127)}\ufffd`);
  assert.equal(registration.models.length, 1024);
  assert.equal(registration.models[0], "m0");
  assert.equal(registration.maxConcurrent, 100_000);
  assert.equal("session" in registration || "providerVariant" in registration, false);
  assert.deepEqual(registration.labels, {});
  assert.deepEqual(ack.endpoint_prefixes, ["/v1"]);
  assert.deepEqual(ack.warnings, warnings);
  assert.equal(warnings.length, 8, warnings.join("\n"));
});

test("acceptRegister() drops labels that are nested deeper than the stack", () => {
  const labels = { deep: JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) };
  assert.deepEqual(accept({ labels }).registration.labels, {});
});

test("acceptRegister() agrees on the features that both ends have", () => {
  const { registration, ack } = accept({ features: ["x", "head", "framed.1"] }, [
    "framed.1",
    "method",
    "head",
  ]);
  assert.deepEqual(registration.features, ["framed.1", "head"]);
  assert.deepEqual(ack.features, ["framed.1", "head"]);
});

test("S11: acceptRegister() trusts a worker with methods that named prefixes or the feature", () => {
  assert.equal(accept().registration.knowsMethod, false);
  assert.equal(accept({ endpoint_prefixes: [] }).registration.knowsMethod, true);
  assert.equal(accept({ features: ["method"] }).registration.knowsMethod, true);
  assert.equal(accept({ features: ["head"] }).registration.knowsMethod, false);
});
