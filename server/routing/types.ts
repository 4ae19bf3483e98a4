import type { FailureCode } from "../../shared/failures.ts";

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
  /** Undefined: any worker whose prefixes match will do. */
  readonly model: string | undefined;
  readonly needs: ReadonlySet<Capability>;
  /** A fact for the link, no rule looks at it. */
  readonly streaming: boolean;
  /** Ids of workers that had this request and failed: a re-send never goes over the same link. */
  readonly excluded?: ReadonlySet<string>;
}

/** One worker as plain data. The id names its link: a worker that reconnects comes back under another. */
export interface WorkerSnapshot {
  readonly id: string;
  readonly name: string;
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
  /** Workers with the same list of endpoint prefixes. */
  readonly byPrefixes: ReadonlyMap<string, PrefixGroup>;
  readonly notDraining: number;
  /** Neither draining nor unhealthy. */
  readonly available: number;
}

export interface PrefixGroup {
  readonly endpointPrefixes: readonly string[];
  readonly workers: ReadonlySet<WorkerSnapshot>;
  /** How many of them are neither draining nor unhealthy. */
  readonly available: number;
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
}

export type RuleName =
  | "connected"
  | "not_draining"
  | "healthy"
  | "endpoint_prefix"
  | "model"
  | "capability"
  | "not_tried";

/** How many workers were left after each rule, in the order of the rules. */
export type Funnel = readonly { readonly rule: RuleName; readonly left: number }[];

/** What set a candidate behind the one before it. */
export type OrderName = "free_slot" | "exact_model" | "load" | "rotation";

/** A worker that no rule rejects. */
export interface Candidate {
  readonly worker: WorkerSnapshot;
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
