import { RelayFailure } from "../../shared/failures.ts";
import type { ClientKey } from "../keys/keys_file.ts";
import type { OverrideGrant } from "../routing/override_types.ts";
import { NonceMemory } from "./nonce_memory.ts";
import {
  isSigned,
  LIFE_MAX_S,
  parseSignature,
  type Signature,
  type SignedRequest,
  SKEW_S,
} from "./signature.ts";

/** A way to be trusted with naming an endpoint. */
export const TRUST_WAYS = ["key", "listener", "signature"] as const;
export type TrustWay = (typeof TRUST_WAYS)[number];

/** Who may sign. Two of them are active while one takes the other's place. */
export interface SigningKey {
  readonly id: string;
  secret(): string;
  /** The names of the endpoints that it is good for; undefined: all. */
  readonly endpoints?: ReadonlySet<string> | undefined;
}

export interface TrustOptions {
  readonly signingKeys: readonly SigningKey[];
  /** The ways that are required together; empty: any one will do. */
  readonly require: readonly TrustWay[];
  /** Seconds since 1970. */
  nowS(): number;
}

/** What a request shows. */
export interface TrustEvidence {
  readonly key: ClientKey | undefined;
  /** It came to the listener that is for overrides only. */
  readonly onListener: boolean;
  /** The value of `x-provider-signature`. */
  readonly signature: string | null;
  readonly request: SignedRequest;
}

/** A way that the evidence shows, with what it is good for. */
interface Shown {
  readonly way: TrustWay;
  /** Who shows it. */
  readonly by?: string;
  readonly endpoints?: ReadonlySet<string> | undefined;
}

export interface TrustedGrant extends OverrideGrant {
  readonly ways: readonly TrustWay[];
  /** The name of the API key, else the id of the key that signed. */
  readonly by: string | undefined;
}

/** Decides who may name the endpoint of a request. The admin token is not a way. */
export class OverrideTrust {
  readonly #options: TrustOptions;
  readonly #nonces = new NonceMemory();
  readonly #ofKeys = new WeakMap<ClientKey, TrustedGrant>();

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /**
   * What the evidence allows. A signature counts as used from here on.
   * @throws RelayFailure `unauthorized` without any credential, `override_not_allowed` with none that is right
   */
  grant(evidence: TrustEvidence): TrustedGrant {
    return this.#grant(evidence, (nonce, times) => this.#nonces.use(nonce, times));
  }

  /** What a key alone allows, remembered: it is the same each time. @throws RelayFailure as `grant` */
  grantByKey(key: ClientKey): TrustedGrant {
    const known = this.#ofKeys.get(key);
    if (known) return known;
    const grant = this.grant({ key, onListener: false, signature: null, request: NOTHING_SIGNED });
    this.#ofKeys.set(key, grant);
    return grant;
  }

  /** What the same evidence would allow at this moment. Nothing is used up. @throws RelayFailure as `grant` */
  judge(evidence: TrustEvidence): TrustedGrant {
    return this.#grant(evidence, (nonce, { nowS }) => !this.#nonces.wasUsed(nonce, nowS));
  }

  #grant(evidence: TrustEvidence, isFresh: NonceMemory["use"]): TrustedGrant {
    const { require } = this.#options;
    const shown = this.#shown(evidence, isFresh);
    const missing = require.find((way) => !shown.some((one) => one.way === way));
    if (shown.length === 0 && !evidence.key && evidence.signature === null)
      throw new RelayFailure("unauthorized");
    if (shown.length === 0) throw notAllowed("the API key lacks the scope override");
    if (missing !== undefined) throw notAllowed(`it must come ${IN_WORDS[missing]} too`);
    return {
      ways: shown.map(({ way }) => way),
      by: shown.find(({ by }) => by !== undefined)?.by,
      ...intersection(shown),
    };
  }

  #shown({ key, onListener, signature, request }: TrustEvidence, isFresh: NonceMemory["use"]): Shown[] {
    const shown: Shown[] = [];
    if (key?.scopes.has("override"))
      shown.push({ way: "key", by: key.name, endpoints: key.overrideEndpoints });
    if (onListener) shown.push({ way: "listener" });
    if (signature !== null) {
      const { id, endpoints } = this.#verify(signature, request, isFresh);
      shown.push({ way: "signature", by: id, endpoints });
    }
    return shown;
  }

  /** A signature that is shown must be right, also when something else would do. */
  #verify(text: string, request: SignedRequest, isFresh: NonceMemory["use"]): SigningKey {
    const signature = parseSignature(text);
    if (!signature) throw notAllowed("x-provider-signature is none of version 1");
    const key = this.#options.signingKeys.find(({ id }) => id === signature.keyId);
    // The same words for an unknown key and a wrong signature: who guesses learns nothing.
    if (!key || !isSigned(request, signature, key.secret()))
      throw notAllowed("x-provider-signature is not right");
    const nowS = this.#options.nowS();
    checkTimes(signature, nowS);
    const nonce = `${key.id} ${signature.nonce}`;
    if (!isFresh(nonce, { nowS, untilS: signature.expiresS + SKEW_S + 1 }))
      throw notAllowed("x-provider-signature was used before");
    return key;
  }
}

const NOTHING_SIGNED: SignedRequest = { method: "", target: "", endpoint: "", modelProvider: "" };

const IN_WORDS: Readonly<Record<TrustWay, string>> = {
  key: "with an API key of the scope override",
  listener: "to the listener that is for overrides",
  signature: "with x-provider-signature",
};

function checkTimes({ issuedS, expiresS }: Signature, nowS: number): void {
  const lifeS = expiresS - issuedS;
  if (lifeS <= 0 || lifeS > LIFE_MAX_S)
    throw notAllowed(`x-provider-signature must live 1 to ${LIFE_MAX_S} s`);
  if (issuedS > nowS + SKEW_S) throw notAllowed("x-provider-signature is of a time to come");
  if (expiresS < nowS - SKEW_S) throw notAllowed("x-provider-signature has expired");
}

/** Each way may be limited to some endpoints: together they allow what all of them do. */
function intersection(shown: readonly Shown[]): OverrideGrant {
  const limits = shown.flatMap(({ endpoints }) => (endpoints ? [endpoints] : []));
  if (limits.length === 0) return {};
  return { endpoints: limits.reduce((all, limit) => all.intersection(limit)) };
}

function notAllowed(detail: string): RelayFailure {
  return new RelayFailure("override_not_allowed", { detail });
}
