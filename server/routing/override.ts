import { matchFault } from "./override_match.ts";
import type {
  OverrideAsk,
  OverrideDecision,
  OverrideEndpoint,
  OverrideFault,
  OverrideGrant,
  OverridePolicy,
  OverrideRefusalCode,
  OverrideTarget,
} from "./override_types.ts";
import { type EndpointUrl, isBareOrigin, isFault, readEndpointUrl, readOneLine } from "./override_url.ts";

/** A decision, and what became of each listed pattern. */
export interface OverrideExplanation {
  readonly decision: OverrideDecision;
  /** In the order in which they are tried; empty when the request did not get as far. */
  readonly patterns: readonly PatternOutcome[];
}

export interface PatternOutcome {
  readonly endpoint: OverrideEndpoint;
  /** As it was written. */
  readonly pattern: string;
  /** Undefined: the request matches and may use it. For who runs the relay: it may show the pattern. */
  readonly fault: OverrideFault | undefined;
}

/**
 * Where a request goes that names its own endpoint. `policy` undefined: the override is off; `grant` undefined: who
 * asks may not. The first listed pattern counts that matches, serves the model provider and is granted.
 */
export function decideOverride(
  ask: OverrideAsk,
  policy: OverridePolicy | undefined,
  grant: OverrideGrant | undefined,
): OverrideDecision {
  return explainOverride(ask, policy, grant).decision;
}

/** The same with what became of each pattern, for `route-test`. */
export function explainOverride(
  ask: OverrideAsk,
  policy: OverridePolicy | undefined,
  grant: OverrideGrant | undefined,
): OverrideExplanation {
  const refused = (code: OverrideRefusalCode, fault: OverrideFault) => ({
    decision: refuse(code, fault),
    patterns: [],
  });
  if (!policy)
    return refused("override_not_allowed", { part: ENDPOINT_HEADER, detail: "the override is off" });
  if (!grant)
    return refused("override_not_allowed", {
      part: "credential",
      detail: "the credential does not allow it",
    });
  const read = readAsk(ask, policy);
  if (isFault(read)) return refused("override_invalid", read);
  const tried = policy.endpoints.flatMap((endpoint) => tryEndpoint(endpoint, read, grant));
  const taken = tried.find(({ fault }) => !fault);
  return {
    decision: taken ? { type: "provider", target: targetOf(taken) } : refusalFor(tried),
    patterns: tried.map(({ endpoint, pattern, fault }) => ({ endpoint, pattern, fault })),
  };
}

/** Names the endpoint that a request is for. */
export const ENDPOINT_HEADER = "x-provider-endpoint";
/** Whose endpoint that is, by the word of who names it. */
export const MODEL_PROVIDER_HEADER = "x-model-provider";

interface ReadAsk {
  readonly given: EndpointUrl | OverrideFault;
  /** For endpoints that join: the origin that was given with what the request asks for. */
  readonly joined: EndpointUrl | OverrideFault | undefined;
  readonly provider: string | undefined;
}

function readAsk(ask: OverrideAsk, { endpoints }: OverridePolicy): ReadAsk | OverrideFault {
  const endpoint = readOneLine(ENDPOINT_HEADER, ask.endpoint);
  if (isFault(endpoint)) return endpoint;
  const provider =
    ask.modelProvider.length > 0 ? readOneLine(MODEL_PROVIDER_HEADER, ask.modelProvider) : undefined;
  if (provider && isFault(provider)) return provider;
  const { line } = endpoint;
  const given = readEndpointUrl(line);
  const joins = isBareOrigin(line) && endpoints.some(({ join }) => join);
  const joined = joins ? joinedUrl(line, ask.requestTarget) : undefined;
  if (isFault(given) && (!joined || isFault(joined))) return joined ?? given;
  return { given, joined, provider: provider?.line };
}

function joinedUrl(origin: string, requestTarget: string): EndpointUrl | OverrideFault {
  if (!requestTarget.startsWith("/")) return { part: "path", detail: "the request has no path to append" };
  return readEndpointUrl(origin.replace(/\/$/, "") + requestTarget);
}

/** How far a pattern got: the furthest tells best what is wrong. */
const STAGES = ["scheme", "host", "port", "path", "query", MODEL_PROVIDER_HEADER, "grant"];

interface Try extends PatternOutcome {
  readonly url: EndpointUrl | OverrideFault;
}

function tryEndpoint(endpoint: OverrideEndpoint, ask: ReadAsk, grant: OverrideGrant): Try[] {
  const url = (endpoint.join ? ask.joined : undefined) ?? ask.given;
  return endpoint.patterns.map((pattern) => ({
    endpoint,
    pattern: pattern.text,
    url,
    fault:
      (isFault(url) ? url : matchFault(pattern, url)) ??
      providerFault(ask.provider, endpoint.provider) ??
      grantFault(grant, endpoint.name),
  }));
}

function providerFault(asked: string | undefined, served: string | undefined): OverrideFault | undefined {
  if (asked === undefined || asked === served) return undefined;
  return {
    part: MODEL_PROVIDER_HEADER,
    detail: served === undefined ? "none must be sent" : `wanted ${served}`,
  };
}

function grantFault({ endpoints }: OverrideGrant, name: string): OverrideFault | undefined {
  if (!endpoints || endpoints.has(name)) return undefined;
  return { part: "grant", detail: `the credential is for ${[...endpoints].join(", ")}` };
}

/** What the client is told: where it failed, and nothing of what is listed. */
function refusalFor(tried: readonly Try[]): OverrideDecision {
  const furthest = tried.toSorted((one, other) => stageOf(other) - stageOf(one))[0];
  if (!furthest?.fault)
    return refuse("override_not_listed", { part: ENDPOINT_HEADER, detail: "nothing is listed" });
  const { part } = furthest.fault;
  if (isFault(furthest.url)) return refuse("override_invalid", furthest.url);
  if (part === "grant")
    return refuse("override_not_allowed", { part, detail: "the credential is for other endpoints" });
  if (part === MODEL_PROVIDER_HEADER)
    return refuse("override_invalid", {
      part,
      detail: `${MODEL_PROVIDER_HEADER} is not the endpoint's provider`,
    });
  return refuse("override_not_listed", { part, detail: `no pattern has its ${part}` });
}

function stageOf({ url, fault }: Try): number {
  return isFault(url) ? -1 : STAGES.indexOf(fault!.part);
}

function refuse(code: OverrideRefusalCode, { part, detail }: OverrideFault): OverrideDecision {
  return { type: "refuse", code, part, detail };
}

function targetOf({ endpoint, pattern, url: read }: Try): OverrideTarget {
  if (isFault(read)) throw new TypeError("a URL at fault matches nothing");
  const { secure, host, port, target, url } = read;
  return { endpoint, pattern, secure, host, port, target, url };
}
