import { relayHeaders } from "../../shared/headers.ts";
import { ExpiringMap } from "../fleet/expiring_map.ts";

/** What the relay's own fields of an answer depend on, but for those that are of one answer alone. */
export interface AnswerKind {
  readonly provider: string | undefined;
  readonly worker: string | undefined;
  readonly model: string | undefined;
  readonly attempts: number;
  readonly isEvents: boolean;
}

/** More than workers times models in most fleets; names that clients think up for a `*` have no end. */
const REMEMBERED_MAX = 1024;

const remembered = new ExpiringMap<Headers>({
  lifetimeMs: Number.POSITIVE_INFINITY,
  countMax: REMEMBERED_MAX,
});
/** The usual next one, of those that are remembered. */
let last: { kind: AnswerKind; headers: Headers } | undefined;

/**
 * The relay's own fields of answers of one kind, not to be changed: to copy them costs a third of setting them anew for
 * each answer. `fields` are those of this kind, called when they are not known.
 */
export function sharedHeaders(kind: AnswerKind, fields: () => Readonly<Record<string, string>>): Headers {
  if (last && isSame(last.kind, kind)) return last.headers;
  const key = keyOf(kind);
  const known = remembered.get(key, 0);
  if (known) {
    last = { kind, headers: known };
    return known;
  }
  const headers = relayHeaders(fields());
  remembered.set(key, headers, 0);
  return headers;
}

function isSame(one: AnswerKind, other: AnswerKind): boolean {
  return (
    one.provider === other.provider &&
    one.worker === other.worker &&
    one.model === other.model &&
    one.attempts === other.attempts &&
    one.isEvents === other.isEvents
  );
}

/** JSON keeps apart what is empty and what is missing. */
function keyOf({ provider, worker, model, attempts, isEvents }: AnswerKind): string {
  return JSON.stringify([provider, worker, model, attempts, isEvents]);
}
