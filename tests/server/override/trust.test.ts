import assert from "node:assert/strict";
import { test } from "node:test";
import { sign } from "../../../server/override/signature.ts";
import { OverrideTrust, type TrustEvidence, type TrustWay } from "../../../server/override/trust.ts";
import { RelayFailure } from "../../../shared/failures.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const NOW_S = 1_800_000_000;
const REQUEST = {
  method: "POST",
  target: "/v1/chat/completions?a=1",
  endpoint: "https://a.example.test/v1/chat",
  modelProvider: "oci",
};
const FIELDS = { issuedS: NOW_S, expiresS: NOW_S + 60, nonce: "n0123456789abcdef", keyId: "k1" };

function trust(require: TrustWay[] = [], nowS = NOW_S) {
  const signingKeys = [
    { id: "k1", secret: () => SECRET },
    { id: "k2", secret: () => `${SECRET}2`, endpoints: new Set(["oci-dac"]) },
  ];
  return new OverrideTrust({ signingKeys, require, nowS: () => nowS });
}

const key = (scopes: ("inference" | "override")[], overrideEndpoints?: ReadonlySet<string>) => ({
  name: "k",
  scopes: new Set(scopes),
  overrideEndpoints,
});

function evidence(shown: Partial<TrustEvidence> = {}): TrustEvidence {
  return { key: undefined, onListener: false, signature: null, request: REQUEST, ...shown };
}

const signed = (fields: Partial<typeof FIELDS> = {}, secret = SECRET) =>
  sign(REQUEST, { ...FIELDS, ...fields }, secret);

/** The code and the words, or the ways that were accepted. */
function outcome(
  shown: Partial<TrustEvidence>,
  { require, nowS }: { require?: TrustWay[]; nowS?: number } = {},
) {
  try {
    return trust(require, nowS).grant(evidence(shown)).ways.join(" ");
  } catch (failure) {
    assert.ok(failure instanceof RelayFailure);
    return `${failure.code}: ${failure.options.detail ?? ""}`;
  }
}

const NOT = "override_not_allowed: ";
const cases: [name: string, shown: Partial<TrustEvidence>, expected: string, require?: TrustWay[]][] = [
  ["nothing", {}, "unauthorized: "],
  ["a key without the scope", { key: key(["inference"]) }, `${NOT}the API key lacks the scope override`],
  ["a key with the scope", { key: key(["override"]) }, "key"],
  ["the listener", { onListener: true }, "listener"],
  ["a signature", { signature: signed() }, "signature"],
  ["all three", { key: key(["override"]), onListener: true, signature: signed() }, "key listener signature"],
  [
    "a wrong signature beside a right key",
    { key: key(["override"]), signature: signed({}, "x".repeat(32)) },
    `${NOT}x-provider-signature is not right`,
  ],
  ["an unknown key id", { signature: signed({ keyId: "k3" }) }, `${NOT}x-provider-signature is not right`],
  ["another key's secret", { signature: signed({ keyId: "k2" }) }, `${NOT}x-provider-signature is not right`],
  ["no signature at all in the header", { signature: "" }, `${NOT}x-provider-signature is none of version 1`],
  [
    "another version",
    { signature: signed().replace("v1", "v2") },
    `${NOT}x-provider-signature is none of version 1`,
  ],
  [
    "two signatures",
    { signature: `${signed()}, ${signed()}` },
    `${NOT}x-provider-signature is none of version 1`,
  ],
  [
    "a life of 61 s",
    { signature: signed({ expiresS: NOW_S + 61 }) },
    `${NOT}x-provider-signature must live 1 to 60 s`,
  ],
  ["no life", { signature: signed({ expiresS: NOW_S }) }, `${NOT}x-provider-signature must live 1 to 60 s`],
  [
    "a key where the listener is required too",
    { key: key(["override"]) },
    `${NOT}it must come to the listener that is for overrides too`,
    ["key", "listener"],
  ],
  [
    "both that are required",
    { key: key(["override"]), onListener: true },
    "key listener",
    ["key", "listener"],
  ],
  [
    "a key where a signature is required",
    { key: key(["override"]) },
    `${NOT}it must come with x-provider-signature too`,
    ["signature"],
  ],
];

for (const [name, shown, expected, require] of cases) {
  test(`OverrideTrust meets ${name}`, () => {
    assert.equal(outcome(shown, { ...(require && { require }) }), expected);
  });
}

test("a signature is good for nothing but what it was made for", () => {
  const others = {
    method: "GET",
    target: "/v1/chat/completions?a=2",
    endpoint: "https://a.example.test/v1/other",
    modelProvider: "",
  };
  for (const [field, value] of Object.entries(others)) {
    const shown = { signature: signed(), request: { ...REQUEST, [field]: value } };
    assert.equal(outcome(shown), `${NOT}x-provider-signature is not right`, field);
  }
});

test("a signature is taken 30 s before its time and 30 s after it, and no longer", () => {
  const signature = signed();
  assert.equal(outcome({ signature }, { nowS: NOW_S - 30 }), "signature");
  assert.equal(
    outcome({ signature }, { nowS: NOW_S - 31 }),
    `${NOT}x-provider-signature is of a time to come`,
  );
  assert.equal(outcome({ signature }, { nowS: NOW_S + 90 }), "signature");
  assert.equal(outcome({ signature }, { nowS: NOW_S + 91 }), `${NOT}x-provider-signature has expired`);
});

test("a signature is taken once, also at the last second of its life", () => {
  let nowS = NOW_S;
  const twice = new OverrideTrust({
    signingKeys: [{ id: "k1", secret: () => SECRET }],
    require: [],
    nowS: () => nowS,
  });
  const shown = evidence({ signature: signed() });
  assert.deepEqual(twice.grant(shown).ways, ["signature"]);
  for (nowS of [NOW_S, NOW_S + 60, NOW_S + 90]) {
    assert.throws(() => twice.grant(shown), /was used before/);
  }
});

test("judge() uses nothing up, and sees what was used", () => {
  const once = trust();
  const shown = evidence({ signature: signed() });
  assert.deepEqual(once.judge(shown).ways, ["signature"]);
  assert.deepEqual(once.judge(shown), once.grant(shown));
  assert.throws(() => once.judge(shown), /was used before/);
});

test("what a key and a signature are limited to is what both allow", () => {
  const signature = sign(REQUEST, { ...FIELDS, keyId: "k2" }, `${SECRET}2`);
  assert.deepEqual(trust().grant(evidence({ signature })).endpoints, new Set(["oci-dac"]));
  const both = { signature, key: key(["override"], new Set(["vertex", "oci-dac"])) };
  assert.deepEqual(trust().grant(evidence(both)).endpoints, new Set(["oci-dac"]));
  const none = { signature, key: key(["override"], new Set(["vertex"])) };
  assert.deepEqual(trust().grant(evidence(none)).endpoints, new Set());
  assert.equal(trust().grant(evidence({ onListener: true })).endpoints, undefined);
});
