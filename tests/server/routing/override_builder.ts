import { decideOverride } from "../../../server/routing/override.ts";
import { compilePattern } from "../../../server/routing/override_pattern.ts";
import type {
  OverrideAsk,
  OverrideDecision,
  OverrideEndpoint,
} from "../../../server/routing/override_types.ts";

/** An endpoint of one name with these patterns, and what else is given. */
export function listed(
  patterns: readonly string[],
  rest: Partial<Omit<OverrideEndpoint, "patterns">> = {},
): OverrideEndpoint {
  return {
    name: "listed",
    credential: "none",
    join: false,
    allowPrivate: [],
    ...rest,
    patterns: patterns.map(compilePattern),
  };
}

/** A request that names this endpoint. */
export function asks(endpoint: string | readonly string[], rest: Partial<OverrideAsk> = {}): OverrideAsk {
  return {
    endpoint: [endpoint].flat(),
    modelProvider: [],
    method: "POST",
    requestTarget: "/v1/chat/completions",
    ...rest,
  };
}

/** What is decided of an endpoint where only these patterns are listed and everybody may. */
export function decideFor(value: string, patterns: readonly string[]): OverrideDecision {
  return decideOverride(asks(value), { endpoints: [listed(patterns)] }, {});
}

/** `provider URL`, or `code part`. */
export function shown(decision: OverrideDecision): string {
  return decision.type === "provider"
    ? `provider ${decision.target.url}`
    : `${decision.code} ${decision.part}`;
}
