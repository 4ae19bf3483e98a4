/** The trusted override: a request that names its own provider endpoint. What is asked, allowed and decided. */

/** `*` and a `{name}` that stands nowhere else are any text, at least one character of the same label or segment. */
export type PatternPiece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "any" }
  /** The same text wherever the name stands. */
  | { readonly type: "name"; readonly name: string };

/** One label of a host, one segment of a path, or one piece of a query between `&`, `;` and `=`. */
export type PatternPart = readonly PatternPiece[];

/** One listed form of endpoints, as `compilePattern` of `override_pattern.ts` makes it. */
export interface OverridePattern {
  /** As it was written. */
  readonly text: string;
  /** `https`. */
  readonly secure: boolean;
  /** Labels, first to last. */
  readonly host: readonly PatternPart[];
  readonly port: number;
  /** Segments. Empty: the path is `/`. */
  readonly path: readonly PatternPart[];
  /** It ended in `**`: at least one more segment follows. */
  readonly openEnded: boolean;
  /** Cut at `&`, `;` and `=`, which stand between. Undefined: there must be none. */
  readonly query: readonly PatternPart[] | undefined;
  /** Nobody but its owner can register a host that matches: a secret may be sent there. */
  readonly ownDomain: boolean;
}

/** What an `[[override.endpoint]]` table lists. */
export interface OverrideEndpoint {
  readonly name: string;
  readonly patterns: readonly OverridePattern[];
  /** What `x-model-provider` must say, when it is sent. Undefined: it must not be sent. */
  readonly provider?: string;
  readonly credential: "none" | "passthrough" | "secret";
  /** It also takes a bare origin, to which path and query of the request are appended. */
  readonly join: boolean;
  /** Networks in CIDR notation that the dialer lets through for it, though they are private. */
  readonly allowPrivate: readonly string[];
}

export interface OverridePolicy {
  /** The first that fits counts. */
  readonly endpoints: readonly OverrideEndpoint[];
}

/** Where a request is to be sent. */
export interface OverrideTarget {
  readonly endpoint: OverrideEndpoint;
  /** The text of the pattern that matched. */
  readonly pattern: string;
  readonly secure: boolean;
  /** A name, never an address. */
  readonly host: string;
  readonly port: number;
  /** Path and query, exactly as given. */
  readonly target: string;
  readonly url: string;
}

/** What a request says. The header fields as lines, so that two of one name are seen. */
export interface OverrideAsk {
  /** `x-provider-endpoint` */
  readonly endpoint: readonly string[];
  /** `x-model-provider` */
  readonly modelProvider: readonly string[];
  readonly method: string;
  /** Path and query of the request itself, for `join`. */
  readonly requestTarget: string;
}

/** The right to name an endpoint. */
export interface OverrideGrant {
  /** Names of those it is limited to; undefined: every one. */
  readonly endpoints?: ReadonlySet<string>;
}

export type OverrideRefusalCode = "override_invalid" | "override_not_listed" | "override_not_allowed";

/** What is wrong: `part` names it (`host`, `path`, `x-model-provider`). */
export interface OverrideFault {
  readonly part: string;
  /** For the client: no address, no text of anybody else. */
  readonly detail: string;
}

export type OverrideDecision =
  | { readonly type: "provider"; readonly target: OverrideTarget }
  | ({ readonly type: "refuse"; readonly code: OverrideRefusalCode } & OverrideFault);
