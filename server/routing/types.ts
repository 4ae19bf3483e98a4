import type { FailureCode } from "../../shared/failures.ts";
import type { Labels, Price } from "../../shared/labels.ts";

/** What a request can need of a link beyond a POST of text, which every link carries. */
export type Capability =
  /** A method other than POST: a plain worker that never heard of `method` would POST it. */
  | "method"
  /** A body, or an expected answer, that is not text. */
  | "binary"
  /** A WebSocket. */
  | "upgrade";

/** One request as routing sees it. */
export interface RouteRequest {
  /** Upper case. */
  readonly method: string;
  /** As it is forwarded, without the query. */
  readonly path: string;
  /** As the client named it, `:nitro` and the like included. Undefined: any worker whose prefixes match will do. */
  readonly model: string | undefined;
  /** Models to fall back to, in order. */
  readonly models?: readonly string[];
  /** What the client's `provider` says. */
  readonly preferences?: Preferences;
  /** Parameters that the body uses; looked for only when `preferences.requireParameters` wants to know. */
  readonly parameters?: readonly string[];
  /** The client's name for a conversation, whose requests best go to one worker. */
  readonly session?: string;
  /** Ids that the request names and that may be of things which one worker keeps, the most telling first. */
  readonly keptIds?: readonly string[];
  readonly needs: ReadonlySet<Capability>;
  /** A fact for the link, no rule looks at it. */
  readonly streaming: boolean;
  /** Who had this request and failed (`triedKey`): a re-send never goes over the same link. */
  readonly excluded?: ReadonlySet<string>;
  /** The provider that had this request first and beyond which `allow_fallbacks: false` does not let it go. */
  readonly heldTo?: string;
}

/** Percentiles of what was measured, or cut-offs for them. Of throughput p90 is what 90 % reach or exceed. */
export type PercentileName = "p50" | "p75" | "p90" | "p99";
export type Cutoffs = Readonly<Partial<Record<PercentileName, number>>>;
export type SortKey = "price" | "throughput" | "latency" | "load" | "exacto";

/** OpenRouter's provider preferences, as `preferences.ts` reads them. What is absent was not given. */
export interface Preferences {
  /** Names of providers: `home` is also all of its variants, `home/4090` is that one. Never empty lists. */
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  readonly order?: readonly string[];
  readonly allowFallbacks?: boolean;
  readonly sort?: SortKey;
  /** `none`: one ranking over all models. Default `model`: candidates of the first model, then of the next. */
  readonly partition?: "model" | "none";
  readonly requireParameters?: boolean;
  readonly dataCollection?: "allow" | "deny";
  readonly zdr?: boolean;
  readonly distillableText?: boolean;
  /** OpenRouter's names, GGUF's mapped to them (`quantizations.ts`). */
  readonly quantizations?: readonly string[];
  /** USD per million tokens, or each. */
  readonly maxPrice?: Price;
  /** Tokens per second. */
  readonly minThroughput?: Cutoffs;
  /** Seconds to the first byte. */
  readonly maxLatency?: Cutoffs;
}

/** One worker as plain data. The id names its link: a worker that reconnects comes back under another. */
export interface WorkerSnapshot {
  readonly id: string;
  readonly name: string;
  /** The name it serves under, a variant behind a slash: `home/4090`. */
  readonly provider: string;
  /** Those it serves; `*` is every model. */
  readonly models: ReadonlySet<string>;
  /** Sanitised; empty is every path. */
  readonly endpointPrefixes: readonly string[];
  /** Slots, at least 1. */
  readonly maxConcurrent: number;
  /** Slots taken. */
  readonly inFlight: number;
  /** Requests the worker says it works on: ours, and those it was given by others. */
  readonly reportedLoad: number;
  readonly connected: boolean;
  readonly draining: boolean;
  /** False: its backend does not answer. */
  readonly healthy: boolean;
  readonly capabilities: ReadonlySet<Capability>;
  readonly labels: Labels;
  readonly linkForm: "plain" | "framed";
  /** Its place among all that ever joined. */
  readonly joinedAt: number;
  /** The fleet's turn in which it was last given a request; 0 for never. */
  readonly lastTurn: number;
}

/** Workers, and what is needed to find the few that may serve a request without looking at all of them. */
export interface WorkerIndex {
  /** In the order they joined. */
  readonly workers: ReadonlySet<WorkerSnapshot>;
  /** `*` is a key like any other. */
  readonly byModel: ReadonlyMap<string, ReadonlySet<WorkerSnapshot>>;
  readonly notDraining: number;
  /** Neither draining nor unhealthy. */
  readonly available: number;
  /** The workers that serve a path. */
  matching(path: string): PrefixMatch;
}

export interface PrefixMatch {
  readonly groups: readonly PrefixGroup[];
  /** How many of their workers are neither draining nor unhealthy. */
  readonly available: number;
}

/** Workers with the same list of endpoint prefixes. */
export interface PrefixGroup {
  readonly endpointPrefixes: readonly string[];
  readonly workers: ReadonlySet<WorkerSnapshot>;
}

/** The fleet at one instant. A live view: valid until the caller gives up its turn. */
export interface FleetSnapshot {
  readonly present: WorkerIndex;
  /**
   * What was served until a moment ago and may come back: workers that left, and the models that connected ones
   * took off their list. Never candidates, but worth waiting for.
   */
  readonly absent: WorkerIndex;
  /** How many requests were given to workers so far. */
  readonly turn: number;
  readonly measured: MeasuredView;
  readonly affinity: AffinityView;
}

/** What the relay measured of a provider's answers with one model in the last five minutes. */
export interface Measured {
  /** Tokens per second, from dispatch to the last byte. */
  readonly throughput?: Readonly<Record<PercentileName, number>>;
  /** Seconds from dispatch to the first byte. */
  readonly latency?: Readonly<Record<PercentileName, number>>;
}

export interface MeasuredView {
  /** Undefined: nothing was seen. `provider` with its variant. */
  of(provider: string, model: string): Measured | undefined;
}

/** Which workers know something that others do not. Gives ids of workers, which may have left. */
export interface AffinityView {
  /** Who served the session's last request for this model ("" for none). */
  sticky(session: string, model: string): string | undefined;
  /** Who gave this id to something it keeps. */
  keeper(id: string): string | undefined;
}

export type RuleName =
  | "connected"
  | "not_draining"
  | "healthy"
  | "endpoint_prefix"
  | "model"
  | "capability"
  | "only"
  | "ignore"
  | "require_parameters"
  | "data_collection"
  | "zdr"
  | "enforce_distillable_text"
  | "quantizations"
  | "max_price"
  | "fallbacks"
  | "not_tried";

/** How many workers were left after each rule, in the order of the rules. */
export type Funnel = readonly { readonly rule: RuleName; readonly left: number }[];

/** What set a candidate behind the one before it. */
export type OrderName =
  | "keeper"
  | "free_slot"
  | "cutoffs"
  | "models"
  | "order"
  | "price"
  | "throughput"
  | "latency"
  | "sticky"
  | "exact_model"
  | "load"
  | "rotation";

/** A worker that no rule rejects, with the model that it would serve. */
export interface Candidate {
  readonly worker: WorkerSnapshot;
  /** As the worker is to be told, without `:nitro` and the like; undefined when the request names none. */
  readonly model: string | undefined;
  /** It names the model; false: it serves it by `*`. True without a model. */
  readonly exact: boolean;
  /** It has a slot for this request now. */
  readonly free: boolean;
  /** Undefined for the first. */
  readonly behindBy: OrderName | undefined;
}

/** A worker that fell to a rule, the first that it did not pass. */
export interface Rejection {
  readonly worker: WorkerSnapshot;
  readonly rule: RuleName;
  /** What was wanted and what was found. */
  readonly detail: string;
}

export type RefusalCode = Extract<
  FailureCode,
  "no_eligible_worker" | "model_not_found" | "plain_link_text_only" | "upgrade_unsupported"
>;

export type Decision =
  /** The first candidate has a free slot. */
  | { readonly type: "dispatch"; readonly candidates: readonly Candidate[]; readonly funnel: Funnel }
  /** All candidates are busy, or there are none and somebody who could serve it is expected back. */
  | { readonly type: "wait"; readonly candidates: readonly Candidate[]; readonly funnel: Funnel }
  | {
      readonly type: "refuse";
      readonly code: RefusalCode;
      readonly failedRule: RuleName;
      readonly funnel: Funnel;
    };
