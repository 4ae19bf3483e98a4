import { Buffer } from "node:buffer";
import { given } from "./intent/request_facts.ts";
import { findMembers, type JsonMembers, type Member, type Span } from "./json_members.ts";
import type { FormField } from "./multipart_field.ts";
import { isObject } from "./routing/preferences.ts";

/** Bytes in place of others. */
export interface Edit extends Span {
  readonly bytes: Uint8Array;
}

/** What a body says to routing, as far as the relay may have to change it before it goes to a backend. */
export interface RoutingText {
  readonly syntax: "json" | "form";
  /** The model that it names. */
  readonly model: string | undefined;
  /** It has a `provider` that is an object, and so the relay's. Any other is its backend's. */
  readonly hasPreferences: boolean;
  /** Undefined: not looked for yet, as a short body is read without, and most cross as they are. */
  readonly places: Places | undefined;
}

interface Places {
  /** The values of all members (or the field) `model`. */
  readonly model: readonly Span[];
  /** All members `provider`, each with one comma where others stay. */
  readonly provider: readonly Span[];
}

export function routingTextOfJson(members: JsonMembers): RoutingText {
  return {
    syntax: "json",
    model: given(members.value("model")),
    hasPreferences: isObject(members.value("provider")),
    places: remembered(members.places),
  };
}

export function routingTextOfForm({ value, start, end }: FormField): RoutingText {
  const places = { model: [{ start, end }], provider: [] };
  return { syntax: "form", model: value, hasPreferences: false, places };
}

/** What the backend is to read. */
export interface BodyWish {
  /** The model that serves, where the body names one; undefined: whatever it names. */
  readonly model?: string | undefined;
  /** It is not to see the client's preferences. */
  readonly withoutPreferences?: boolean;
}

/**
 * The edits that make of a body what a backend is to read: none when it says so already. Everything outside of them
 * stays byte for byte. Of names that come more than once all are changed or cut, as backends differ in which of them
 * counts. `start` is the bytes that `text` was read from: what lies behind them stays as it is.
 */
export function bodyEdits(start: Uint8Array, text: RoutingText, wish: BodyWish): Edit[] {
  const model = wish.model === text.model ? undefined : wish.model;
  const renamed = text.model !== undefined && model !== undefined;
  const cut = wish.withoutPreferences && text.hasPreferences;
  if (!renamed && !cut) return [];
  const places = text.places ?? placesOf(findMembers(start, ["model", "provider"]).wanted);
  const edits = [
    ...(renamed ? inPlaceOf(places.model, text.syntax === "json" ? JSON.stringify(model) : model) : []),
    ...(cut ? inPlaceOf(places.provider, "") : []),
  ];
  return edits.sort((a, b) => a.start - b.start);
}

function inPlaceOf(spans: readonly Span[], text: string): Edit[] {
  const bytes = Buffer.from(text);
  return spans.map(({ start, end }) => ({ start, end, bytes }));
}

/** `start` with the edits in it. They are in their order and do not overlap, as `bodyEdits` gives them. */
export function applyEdits(start: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return start;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits) {
    pieces.push(start.subarray(at, edit.start), edit.bytes);
    at = edit.end;
  }
  return Buffer.concat([...pieces, start.subarray(at)]);
}

/** How much longer the body becomes; below 0: shorter. */
export function sizeDelta(edits: readonly Edit[]): number {
  return edits.reduce((sum, { start, end, bytes }) => sum + bytes.length - (end - start), 0);
}

/** Whoever repeats a name this often is not served faster by our remembering where it stands. */
const REMEMBERED_MAX = 64;

function remembered(found: JsonMembers["places"]): Places | undefined {
  const count = (found?.get("model")?.length ?? 0) + (found?.get("provider")?.length ?? 0);
  return found && count <= REMEMBERED_MAX ? placesOf(found) : undefined;
}

function placesOf(found: ReadonlyMap<string, readonly Member[]>): Places {
  return {
    model: (found.get("model") ?? []).map(({ start, end }) => ({ start, end })),
    provider: cuts(found.get("provider") ?? []),
  };
}

/** Each with the comma behind it; those at the end with the one before them. */
function cuts(members: readonly Member[]): Span[] {
  const spans = members.map(({ nameStart, end, next }) => ({ start: nameStart, end: next ?? end }));
  let first = members.length - 1;
  if (first === -1 || members[first]!.next !== undefined) return spans;
  while (first > 0 && members[first - 1]!.next === members[first]!.nameStart) first--;
  spans[first]!.start = members[first]!.before ?? members[first]!.nameStart;
  return spans;
}
