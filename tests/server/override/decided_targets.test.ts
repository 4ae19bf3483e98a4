import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DecidedTargets } from "../../../server/override/decided_targets.ts";
import { decideOverride } from "../../../server/routing/override.ts";
import { compilePattern } from "../../../server/routing/override_pattern.ts";
import type { OverrideEndpoint, OverridePolicy } from "../../../server/routing/override_types.ts";

const endpoint = (name: string, pattern: string, more: Partial<OverrideEndpoint> = {}): OverrideEndpoint => ({
  name,
  patterns: [compilePattern(pattern)],
  credential: "none",
  join: false,
  allowPrivate: [],
  ...more,
});
const policy: OverridePolicy = {
  endpoints: [
    endpoint("of-acme", "https://*.pool.example/v1/**", { provider: "acme" }),
    endpoint("any", "https://*.pool.example/v1/**"),
    endpoint("joined", "https://joined.example/v1/**", { join: true }),
  ],
};

const asks = fc.record({
  endpoint: fc.constantFrom(
    ["https://a.pool.example/v1/x"],
    ["https://a.pool.example/v1/y"],
    ["https://joined.example"],
    ["https://joined.example/"],
    ["https://joined.example/v1/x"],
    ["https://elsewhere.example/v1/x"],
    ["https://a.pool.example/v1/x", "https://a.pool.example/v1/x"],
    [""],
    [],
  ),
  modelProvider: fc.constantFrom([], [""], ["acme"], ["other"], ["acme", "acme"]),
  method: fc.constant("POST"),
  requestTarget: fc.constantFrom("/v1/x", "/v1/y?q=1", "/other"),
});
const grants = fc.constantFrom(
  {},
  { endpoints: new Set(["any"]) },
  { endpoints: new Set(["of-acme", "joined"]) },
  { endpoints: new Set<string>() },
);

describe("what the override remembers", () => {
  test("decides as if nothing were remembered, whatever was asked before", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(asks, grants), { minLength: 1, maxLength: 60 }), (asked) => {
        const targets = new DecidedTargets(policy);
        for (const [ask, grant] of asked)
          deepEqual(targets.decide(ask, grant), decideOverride(ask, policy, grant));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  test("no endpoint is taken for a decision that is kept by more than its endpoint", () => {
    const targets = new DecidedTargets(policy);
    const ask = { modelProvider: ["acme"], method: "POST", requestTarget: "/v1/x" };
    const endpoint = ["https://a.pool.example/v1/x"];
    equal(targets.decide({ ...ask, endpoint }, {}).type, "provider");
    const spelled = [JSON.stringify([endpoint, ["acme"], "/v1/x", undefined])];
    equal(targets.decide({ ...ask, endpoint: spelled, modelProvider: [] }, {}).type, "refuse");
  });

  test("reads an endpoint once", () => {
    const targets = new DecidedTargets(policy);
    const ask = {
      endpoint: ["https://a.pool.example/v1/x"],
      modelProvider: [],
      method: "POST",
      requestTarget: "/",
    };
    const target = () => {
      const decision = targets.decide(ask, {});
      return decision.type === "provider" ? decision.target : undefined;
    };
    const first = target();
    equal(first?.endpoint.name, "of-acme");
    equal(target(), first);
  });
});
