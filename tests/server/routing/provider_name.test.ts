import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../server/routing/explain.ts";
import type { Preferences } from "../../../server/routing/types.ts";
import { fleetOf, request } from "./fleet_builder.ts";

/** Whom of these providers each preference leaves. */
const PROVIDERS = [
  "home",
  "home/4090",
  "home/4090/x",
  "homelab",
  "lab/a",
  "Home",
  "__proto__",
  "constructor",
];
const names: readonly (readonly [names: string[], matched: string[]])[] = [
  [["home"], ["home", "home/4090", "home/4090/x"]],
  [["home/4090"], ["home/4090"]],
  [
    ["home/4090", "lab"],
    ["home/4090", "lab/a"],
  ],
  [["home/"], []],
  [["home/40"], []],
  [["lab/a/x"], []],
  [["/"], []],
  [["HOME", "hom", "nobody"], []],
  [["Home"], ["Home"]],
  [["__proto__", "toString"], ["__proto__"]],
  [
    ["constructor", "homelab"],
    ["homelab", "constructor"],
  ],
];

for (const [list, matched] of names) {
  const fleet = fleetOf(PROVIDERS.map((provider) => ({ provider })));
  const left = (preferences: Preferences) =>
    explain(request({ preferences }), fleet)
      .candidates.map(({ worker }) => worker.provider)
      .sort((a, b) => PROVIDERS.indexOf(a) - PROVIDERS.indexOf(b));
  const others = PROVIDERS.filter((provider) => !matched.includes(provider));
  test(`${list.join(", ")} means ${matched.join(", ") || "nobody"} in only, ignore and order`, () => {
    assert.deepEqual(left({ only: list }), matched);
    assert.deepEqual(left({ ignore: list }), others);
    assert.deepEqual(left({ order: list, allowFallbacks: false }), matched);
    assert.deepEqual(left({ order: list }), PROVIDERS);
    assert.deepEqual(left({ only: PROVIDERS, ignore: list }), others);
  });
}

const said: readonly (readonly [Preferences, heldTo: string | undefined, says: string])[] = [
  [{ only: ["a", "b"] }, undefined, "only: wanted only a, b, its provider is local"],
  [{ ignore: ["local"] }, undefined, "ignore: its provider local is to be ignored"],
  [
    { order: ["a"], allowFallbacks: false },
    undefined,
    "fallbacks: fallbacks are not allowed beyond a, its provider is local",
  ],
  [
    { allowFallbacks: false },
    "lab",
    "fallbacks: fallbacks are not allowed and lab is the best provider, its provider is local",
  ],
];
for (const [preferences, heldTo, says] of said) {
  test(`explain() says ${says}`, () => {
    const asked = request({ preferences, ...(heldTo && { heldTo }) });
    const { rejections } = explain(asked, fleetOf([{}]));
    assert.deepEqual(
      rejections.map(({ rule, detail }) => `${rule}: ${detail}`),
      [says],
    );
  });
}
