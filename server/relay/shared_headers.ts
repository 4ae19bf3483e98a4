import { relayHeaders } from "../../shared/headers.ts";

/** More than workers times models in most fleets; names that clients think up for a `*` have no end. */
const REMEMBERED_MAX = 1024;

const remembered = new Map<string, Headers>();

/**
 * The relay's own fields of answers that have them in common: to copy them costs a third of setting them anew for each
 * answer. `key`: of all that they depend on.
 */
export function sharedHeaders(key: string): Headers | undefined {
  return remembered.get(key);
}

export function shareHeaders(key: string, fields: Readonly<Record<string, string>>): Headers {
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  const headers = relayHeaders(fields);
  remembered.set(key, headers);
  return headers;
}
