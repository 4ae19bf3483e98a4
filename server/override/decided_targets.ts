import { ExpiringMap } from "../fleet/expiring_map.ts";
import { decideOverride } from "../routing/override.ts";
import type {
  OverrideAsk,
  OverrideDecision,
  OverrideGrant,
  OverridePolicy,
  OverrideTarget,
} from "../routing/override_types.ts";
import { isBareOrigin } from "../routing/override_url.ts";

/** Patterns with wildcards have no end of endpoints. */
const REMEMBERED_MAX = 1024;

/**
 * Decides as `decideOverride`, and remembers what it let through: an upstream names the same few endpoints again and
 * again, and reading one costs as much as the rest of what comes before the dial. Refusals are decided each time.
 */
export class DecidedTargets {
  readonly #policy: OverridePolicy;
  readonly #targets = new ExpiringMap<OverrideTarget>({
    lifetimeMs: Number.POSITIVE_INFINITY,
    countMax: REMEMBERED_MAX,
  });

  constructor(policy: OverridePolicy) {
    this.#policy = policy;
  }

  decide(ask: OverrideAsk, grant: OverrideGrant): OverrideDecision {
    const key = keyOf(ask, grant);
    const target = this.#targets.get(key, 0);
    if (target) return { type: "provider", target };
    const decision = decideOverride(ask, this.#policy, grant);
    if (decision.type === "provider") this.#targets.set(key, decision.target, 0);
    return decision;
  }
}

/**
 * All that a decision depends on. JSON keeps apart what is empty, what is missing and what holds the separator; the
 * bracket that it begins with keeps it apart from a line.
 */
function keyOf(
  { endpoint, modelProvider, requestTarget }: OverrideAsk,
  { endpoints }: OverrideGrant,
): string {
  const [line = ""] = endpoint;
  // The usual case, of a field value each, which hold no line break.
  const isLine = endpoint.length === 1 && modelProvider.length === 0 && !endpoints && !line.startsWith("[");
  if (isLine && !isBareOrigin(line)) return line;
  return JSON.stringify([endpoint, modelProvider, requestTarget, endpoints && [...endpoints]]);
}
