import assert from "node:assert/strict";
import { test } from "node:test";
import { LABELS_MAX_UNITS } from "../../../shared/labels.ts";
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
  return acceptRegister({ ...REGISTER, ...more }, { workerId: "worker-3", provider: "home", features });
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
    labels: { price: "x".repeat(LABELS_MAX_UNITS) },
    endpoint_prefixes: ["v1"],
  });
  assert.equal(registration.name, `${"n".repeat(127)}\ufffd`);
  assert.equal(registration.models.length, 1024);
  assert.equal(registration.models[0], "m0");
  assert.equal(registration.maxConcurrent, 100_000);
  assert.equal("session" in registration, false);
  assert.equal(registration.provider, "home");
  assert.deepEqual(registration.labels, {});
  assert.deepEqual(ack.endpoint_prefixes, ["/v1"]);
  assert.deepEqual(ack.warnings, warnings);
  assert.equal(warnings.length, 8, warnings.join("\n"));
});

test("acceptRegister() drops labels that are nested deeper than the stack", () => {
  const labels = { deep: JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) };
  assert.deepEqual(accept({ labels }).registration.labels, {});
});

test("acceptRegister() drops each label that is wrong, and keeps the others", () => {
  const { registration, ack, warnings } = accept({
    labels: {
      zdr: "yes",
      quantisation: "int4",
      data_collection: "deny",
      models: { m: { price: { prompt: -1, completion: 2 } } },
    },
  });
  assert.deepEqual(registration.labels, {
    data_collection: "deny",
    models: { m: { price: { completion: 2 } } },
  });
  assert.deepEqual(ack.warnings, warnings);
  assert.deepEqual(warnings.toSorted(), [
    "label models.m.price.prompt was dropped: it must be a number from 0: found -1",
    "label quantisation was dropped: it is unknown: the nearest is quantization",
    'label zdr was dropped: it must be true or false: found "yes"',
  ]);
});

test("acceptRegister() warns of a few wrong labels and counts the others", () => {
  const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`label-${index}`, true]));
  const { warnings } = accept({ labels });
  assert.equal(warnings.length, REGISTRATION_LIMITS.labelWarnings + 1);
  assert.equal(warnings.at(-1), `${1000 - REGISTRATION_LIMITS.labelWarnings} more labels were dropped`);
});

// Each item is wrong, and found is the whole list: said for each item it took a minute.
test("acceptRegister() warns once of a list of which nothing is right", () => {
  const { warnings } = accept({ labels: { supported_parameters: new Array(50_000).fill(1) } });
  assert.equal(warnings.length, 1);
});

test("acceptRegister() makes a variant of the provider, unless that names one already", () => {
  const variantOf = (provider: string, variant?: string | null) => {
    const register = { ...REGISTER, ...(variant !== undefined && { provider_variant: variant as string }) };
    const { registration, warnings } = acceptRegister(register, { workerId: "", provider, features: [] });
    return [registration.provider, ...warnings];
  };
  assert.deepEqual(variantOf("home"), ["home"]);
  assert.deepEqual(variantOf("home", "4090"), ["home/4090"]);
  assert.deepEqual(variantOf("home/4090"), ["home/4090"]);
  assert.deepEqual(variantOf("home/4090", "3090"), [
    "home/4090",
    "provider_variant was dropped: the provider has one already",
  ]);
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
