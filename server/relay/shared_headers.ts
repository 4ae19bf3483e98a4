import { relayHeaders } from "../../shared/headers.ts";

/** What the relay's own fields of an answer depend on, but for those that are of one answer alone. */
export interface AnswerKind {
  readonly provider: string | undefined;
  readonly worker: string | undefined;
  readonly model: string | undefined;
  readonly attempts: number;
  readonly isEvents: boolean;
}

/** Clients choose what models are called, and may choose long names: those of longer keys are not remembered. */
const KEY_MAX_CHARS = 1024;

/** More than workers times models in most fleets; names that clients think up for a `*` have no end. */
const REMEMBERED_MAX = 1024;

const remembered = new Map<string, Headers>();
/** The usual next one. */
let last: { kind: AnswerKind; headers: Headers } | undefined;

/**
 * The relay's own fields of answers of one kind, not to be changed: to copy them costs a third of setting them anew for
 * each answer. `fields` are those of this kind, called when they are not known.
 */
export function sharedHeaders(kind: AnswerKind, fields: () => Readonly<Record<string, string>>): Headers {
  if (last && isSame(last.kind, kind)) return last.headers;
  const key = keyOf(kind);
  if (key.length > KEY_MAX_CHARS) return relayHeaders(fields());
  let headers = remembered.get(key);
  if (!headers) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    headers = relayHeaders(fields());
    remembered.set(key, headers);
  }
  last = { kind, headers };
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

function keyOf({ provider, worker, model, attempts, isEvents }: AnswerKind): string {
  const names = lengthAndText(provider) + lengthAndText(worker) + lengthAndText(model);
  return `${isEvents ? "events" : "other"} ${attempts} ${names}`;
}

/** No two lists of names are one text together. */
const lengthAndText = (text: string | undefined) => (text === undefined ? "-" : `${text.length} ${text}`);
