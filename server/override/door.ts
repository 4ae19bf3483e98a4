import { RelayFailure } from "../../shared/failures.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { ClientKey } from "../keys/keys_file.ts";
import { ENDPOINT_HEADER, MODEL_PROVIDER_HEADER } from "../routing/override.ts";
import type {
  OverrideAsk,
  OverrideDecision,
  OverridePolicy,
  OverrideTarget,
} from "../routing/override_types.ts";
import { DecidedTargets } from "./decided_targets.ts";
import type { SignedRequest } from "./signature.ts";
import type { OverrideTrust } from "./trust.ts";

export const SIGNATURE_HEADER = "x-provider-signature";
const AUTHORIZATION_HEADER = "x-provider-authorization";
const OVERRIDE_HEADERS = [ENDPOINT_HEADER, MODEL_PROVIDER_HEADER, SIGNATURE_HEADER, AUTHORIZATION_HEADER];

/** A provider gets the credential that its pattern is to have, and no other of the client's. */
export const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "cookie"] as const;

export interface OverrideDoorParts {
  readonly policy: OverridePolicy;
  readonly trust: OverrideTrust;
  /** The key of ours that these headers show, if any. */
  findKey(headers: FieldReader): ClientKey | undefined;
  /** What is sent to the endpoint of this name, which has `credential = "secret"`. */
  secretOf(name: string): string;
}

export interface OverrideKnock {
  readonly method: string;
  /** Path and query of the request itself. */
  readonly target: string;
  readonly headers: FieldReader;
}

/** A request that goes to an endpoint of its own. */
export interface AdmittedOverride {
  readonly target: OverrideTarget;
  /** The name of the API key, or the id of the key that signed. */
  readonly by: string | undefined;
  /** Headers that stop here. */
  readonly consumed: readonly string[];
  /** The value of `Authorization` for the provider. */
  readonly authorization: string | undefined;
}

type OverrideRefusal = Extract<OverrideDecision, { type: "refuse" }>;

/** Decides which requests go to an endpoint that they name, and with which credential. */
export class OverrideDoor {
  readonly #parts: OverrideDoorParts;
  readonly #targets: DecidedTargets;

  constructor(parts: OverrideDoorParts) {
    this.#parts = parts;
    this.#targets = new DecidedTargets(parts.policy);
  }

  /**
   * A request that names an endpoint. `onListener`: it came to the listener that is for overrides.
   * @throws RelayFailure `unauthorized`, `override_not_allowed`, `override_invalid`, `override_not_listed`
   */
  admit(knock: OverrideKnock, onListener: boolean): AdmittedOverride {
    const { headers } = knock;
    const key = this.#parts.findKey(headers);
    const signature = headers.get(SIGNATURE_HEADER);
    const grant =
      key && !onListener && signature === null
        ? this.#parts.trust.grantByKey(key)
        : this.#parts.trust.grant({ key, onListener, signature, request: signedRequest(knock) });
    checkConnection(headers);
    const decision = this.#targets.decide(overrideAsk(knock), grant);
    if (decision.type === "refuse") throw overrideRefusal(decision);
    return {
      target: decision.target,
      by: grant.by,
      consumed: CREDENTIAL_HEADERS,
      authorization: this.#authorization(decision.target, headers),
    };
  }

  #authorization({ endpoint }: OverrideTarget, headers: FieldReader): string | undefined {
    if (endpoint.credential === "passthrough") return passedCredential(headers);
    if (endpoint.credential === "none") return undefined;
    const secret = this.#parts.secretOf(endpoint.name);
    // A scheme that the operator wrote is kept; a token alone is a bearer's.
    return secret.includes(" ") ? secret : `Bearer ${secret}`;
  }
}

/** What a signature of the request would be of. */
export function signedRequest({ method, target, headers }: OverrideKnock): SignedRequest {
  return {
    method,
    target,
    endpoint: headers.get(ENDPOINT_HEADER) ?? "",
    modelProvider: headers.get(MODEL_PROVIDER_HEADER) ?? "",
  };
}

/** Two lines of one name are one value with a comma and a space here, and a space is in no endpoint. */
export function overrideAsk({ method, target, headers }: OverrideKnock): OverrideAsk {
  const modelProvider = headers.get(MODEL_PROVIDER_HEADER);
  return {
    endpoint: [headers.get(ENDPOINT_HEADER) ?? ""],
    modelProvider: modelProvider === null ? [] : [modelProvider],
    method,
    requestTarget: target,
  };
}

/** What the client is told of it. */
export function overrideRefusal({ code, part, detail }: OverrideRefusal): RelayFailure {
  return new RelayFailure(code, { detail, param: part, metadata: { part } });
}

/**
 * The one credential that is to be sent. Two lines are one value with a comma here, which some schemes have between
 * their parameters; a token has none.
 */
function passedCredential(headers: FieldReader): string | undefined {
  const value = headers.get(AUTHORIZATION_HEADER);
  if (value === null || !/^$|^,|,\s*$|^bearer\b.*,/i.test(value)) return value ?? undefined;
  const detail = `${AUTHORIZATION_HEADER} must be sent once, with one credential`;
  throw new RelayFailure("override_invalid", { detail, param: AUTHORIZATION_HEADER });
}

/** What is for one hop only is nothing that an upstream says to a relay behind proxies. */
export function checkConnection(headers: FieldReader): void {
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  const named = connection
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const wrong = OVERRIDE_HEADERS.find((name) => named.includes(name));
  if (wrong === undefined) return;
  throw new RelayFailure("override_invalid", { detail: `Connection names ${wrong}`, param: "connection" });
}
