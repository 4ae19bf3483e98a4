import type { FailureCode } from "../../shared/failures.ts";

/** Why a failure may have happened, and where one sees whether it did. Markdown, without a full stop. */
export interface Cause {
  readonly likely: string;
  readonly look: string;
}

/** Causes by code, the likeliest first. */
export type CausesOf = Readonly<Record<FailureCode, readonly Cause[]>>;
