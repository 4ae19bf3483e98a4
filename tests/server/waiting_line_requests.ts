import fc from "fast-check";
import type { Preferences } from "../../server/routing/types.ts";
import type { RequestFacts } from "./routing/fleet_builder.ts";

const preferences = fc.constantFrom<Preferences>(
  { order: ["a"] },
  { order: ["a/x"], allowFallbacks: false },
  { ignore: ["a/x"] },
  { only: ["b"] },
  { maxPrice: { prompt: 1 } },
  { sort: "price" },
  { allowFallbacks: false },
  { allowFallbacks: false, sort: "price" },
  { allowFallbacks: false, sort: "load" },
);

/**
 * Requests for a line whose workers serve `m`, `n` or `*` as `a`, `a/x` or `b`; half of them have preferences. Of one
 * without fallbacks nobody is excluded before its first try: from then on it says whom it is held to.
 */
export const asked = fc
  .record({
    model: fc.constantFrom("m", "n"),
    excluded: fc.subarray(["worker-1", "worker-2"]),
    preferences: fc.option(preferences, { freq: 2 }),
    models: fc.constantFrom([], [], ["n"]),
  })
  .map(({ preferences, excluded, ...facts }): RequestFacts => {
    if (!preferences) return { ...facts, excluded };
    return { ...facts, preferences, excluded: preferences.allowFallbacks === false ? [] : excluded };
  });
