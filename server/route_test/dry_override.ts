import { RelayFailure } from "../../shared/failures.ts";
import { HTTP1_STOPS, requestPairs } from "../../shared/headers.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { ClientKey } from "../keys/keys_file.ts";
import {
  CREDENTIAL_HEADERS,
  checkConnection,
  overrideAsk,
  overrideRefusal,
  SIGNATURE_HEADER,
  signedRequest,
} from "../override/door.ts";
import type { OverrideSettings } from "../override/override_settings.ts";
import { LIFE_MAX_S, sign } from "../override/signature.ts";
import { OverrideTrust, type TrustEvidence, type TrustedGrant } from "../override/trust.ts";
import { ENDPOINT_HEADER, explainOverride, type PatternOutcome } from "../routing/override.ts";
import type { OverrideTarget } from "../routing/override_types.ts";
import type { ReportedOverride } from "./report.ts";
import type { TestRequest } from "./test_request.ts";

/** What a running relay knows of overrides beside its settings. */
export interface LiveOverride {
  /** Without using up what can be used once. @throws RelayFailure */
  judge(evidence: TrustEvidence): TrustedGrant;
  /** The key that these headers show. */
  findKey(headers: FieldReader): ClientKey | undefined;
  /** Where the relay listens. */
  readonly ports: ReadonlySet<number>;
}

/** What the override says of a request, and why it is refused. */
export interface DryOverride {
  readonly report: ReportedOverride;
  readonly failure: RelayFailure | undefined;
}

/**
 * What a relay of this policy would do with a request that names its own endpoint. Nothing is connected to, resolved
 * or used up. Where no relay is running, what the request is said to come with is believed.
 * @throws RelayFailure `bad_request` for a signature that nobody here could verify, a listener that is not there
 */
export function dryOverride(
  request: TestRequest,
  policy: OverrideSettings,
  live?: LiveOverride,
): DryOverride {
  const trusted = grantOf(request, policy, live);
  const grant = trusted instanceof RelayFailure ? undefined : trusted;
  // Who runs the relay wants to know of both mistakes at once.
  const { decision, patterns } = explainOverride(overrideAsk(request), policy, grant ?? {});
  const failure =
    (trusted instanceof RelayFailure ? trusted : undefined) ??
    failureOf(() => checkConnection(request.headers)) ??
    (decision.type === "refuse" ? overrideRefusal(decision) : undefined);
  return {
    failure,
    report: {
      ...refusedOverride(request, failure?.code ?? null),
      ...(!failure &&
        decision.type === "provider" && {
          ...{ decision: "provider", ...placeOf(decision.target), stripped: strippedOf(request.headers) },
        }),
      trust: {
        ways: [...(grant?.ways ?? [])],
        by: grant?.by ?? null,
        problem: trusted instanceof RelayFailure ? (trusted.options.detail ?? NO_CREDENTIAL) : null,
      },
      patterns: patterns.map(reportedPattern),
    },
  };
}

const NO_CREDENTIAL = "it shows no API key and no signature, and does not come to the listener for overrides";

/** Of a request whose patterns nobody looks at. */
export function refusedOverride({ headers }: TestRequest, code: string | null): ReportedOverride {
  return {
    endpoint: headers.get(ENDPOINT_HEADER) ?? "",
    decision: "refuse",
    code,
    ...{ name: null, pattern: null, provider: null, scheme: null, host: null, port: null, credential: null },
    trust: { ways: [], by: null, problem: null },
    stripped: [],
    patterns: [],
  };
}

/** Where it would be sent, and as what. */
export function placeOf({ endpoint, pattern, secure, host, port }: OverrideTarget) {
  return {
    ...{ name: endpoint.name, pattern, provider: endpoint.provider ?? null },
    ...{ scheme: secure ? ("https" as const) : ("http" as const), host, port },
    credential: endpoint.credential,
  };
}

/** What is for one hop only goes without saying. */
function strippedOf(headers: Headers): string[] {
  const crossing = { peer: "", secure: true, trustedPeer: false, consumed: CREDENTIAL_HEADERS };
  const kept = new Set(requestPairs(headers, crossing).map(([name]) => name));
  return [...headers.keys()].filter((name) => !kept.has(name) && !HTTP1_STOPS.has(name));
}

export function reportedPattern({ endpoint, pattern, fault }: PatternOutcome) {
  return { name: endpoint.name, pattern, fault: fault ? { part: fault.part, detail: fault.detail } : null };
}

function grantOf(
  request: TestRequest,
  policy: OverrideSettings,
  live: LiveOverride | undefined,
): TrustedGrant | RelayFailure {
  const { asker = {}, headers } = request;
  const { signedBy } = asker;
  const shown = headers.get(SIGNATURE_HEADER);
  if (!live && signedBy === undefined && shown !== null)
    throw new RelayFailure("bad_request", { detail: UNVERIFIED });
  if (asker.onListener && !policy.listen) throw new RelayFailure("bad_request", { detail: NO_LISTENER });
  const signature = signedBy === undefined ? shown : believedSignature(request, signedBy);
  const judge = live && signedBy === undefined ? live : believing(policy);
  return attempt(() =>
    judge.judge({
      key: asker.key ?? live?.findKey(headers),
      onListener: asker.onListener ?? false,
      signature,
      request: signedRequest(request),
    }),
  );
}

const UNVERIFIED = `${SIGNATURE_HEADER} can be verified by a running relay only; in a file write signed_by = "KEY_ID"`;

const NO_LISTENER = "it cannot come to the listener for overrides, as [override] has no listen";

/** Nobody keeps this one to himself: it stands for those that are not read here. */
const BELIEVED_SECRET = "believed";

/** Trusts who says to have signed. */
function believing({ keys, require }: OverrideSettings): Pick<OverrideTrust, "judge"> {
  const signingKeys = keys.map(({ id, endpoints }) => ({ id, endpoints, secret: () => BELIEVED_SECRET }));
  return new OverrideTrust({ signingKeys, require, nowS: () => 0 });
}

function believedSignature(request: TestRequest, keyId: string): string {
  const fields = { issuedS: 0, expiresS: LIFE_MAX_S, nonce: "0".repeat(16), keyId };
  return sign(signedRequest(request), fields, BELIEVED_SECRET);
}

/** What came of it: the refusal is a value here. */
export function attempt<T>(act: () => T): T | RelayFailure {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof RelayFailure) return thrown;
    throw thrown;
  }
}

/** What is thrown where something is not in order. */
export function failureOf(check: () => void): RelayFailure | undefined {
  const found = attempt(check);
  return found instanceof RelayFailure ? found : undefined;
}
