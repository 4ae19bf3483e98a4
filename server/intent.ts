import { pathOf } from "../shared/path_of.ts";
import type { FieldReader } from "../shared/received_fields.ts";
import { type RoutingText, routingTextOfForm, routingTextOfJson } from "./body_edits.ts";
import { askedAffinity } from "./intent/asked_affinity.ts";
import { askedModels, type ModelSource } from "./intent/asked_models.ts";
import { askedPreferences } from "./intent/asked_preferences.ts";
import { linkNeeds } from "./intent/link_needs.ts";
import { type BodySyntax, bodySyntax, queryParameter, type RequestFacts } from "./intent/request_facts.ts";
import { type JsonMembers, readMembers } from "./json_members.ts";
import { type FormField, multipartField } from "./multipart_field.ts";
import type { RouteRequest } from "./routing/types.ts";

/** What a request asks of routing, and what the relay has to know of its body to change it. */
export interface Intent {
  readonly request: RouteRequest;
  /** What was not understood and does not fail the request. A dozen at most, of one line each. */
  readonly warnings: readonly string[];
  readonly modelIn: ModelSource;
  /**
   * The JSON body asks its backend to keep what it makes, so that making it twice is not the same. Undefined: it was
   * not read whole as JSON. `asksToStore` looks at bytes of any kind, when all of them are there.
   */
  readonly stores: boolean | undefined;
  /** Undefined: the body is neither JSON nor a form that names a model. */
  readonly routingText: RoutingText | undefined;
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Reads what a request asks of routing. The bytes are looked at, never changed, and gone over once: nothing is read
 * of a body that is neither JSON nor a form, or that is encoded.
 * @throws RelayFailure `invalid_preference`
 */
export function readIntent(facts: RequestFacts): Intent {
  const { method, target, headers } = facts;
  const path = pathOf(target);
  const syntax = bodySyntax(headers);
  const members = jsonMembers(facts, syntax);
  const form = syntax === "form" ? formModel(facts) : undefined;
  const { model, models, modelIn } = askedModels(facts, members, form?.value);
  const { preferences, parameters, warnings } = askedPreferences(facts, members);
  const { session, keptIds, warnings: moreWarnings } = askedAffinity(path, members, headers);
  // No spread of parts that are seldom there: it would cost as much again as all the rest.
  const request: Draft<RouteRequest> = {
    method,
    path,
    model,
    needs: linkNeeds(facts),
    streaming: asksForStream(facts, members),
  };
  if (models) request.models = models;
  if (preferences) request.preferences = preferences;
  if (parameters) request.parameters = parameters;
  if (session !== undefined) request.session = session;
  if (keptIds.length > 0) request.keptIds = keptIds;
  return {
    request,
    warnings: moreWarnings.length === 0 ? warnings : [...warnings, ...moreWarnings],
    modelIn,
    stores: facts.whole && members ? storesIn(members) : undefined,
    routingText: members ? routingTextOfJson(members) : form && routingTextOfForm(form),
  };
}

/** Whether routing wants to see the beginning of such a request's body. */
export function wantsPeek(headers: FieldReader): boolean {
  return bodySyntax(headers) !== "other";
}

/** Whether a JSON body, of whatever type it says it is, asks its backend to keep what it makes. */
export function asksToStore(body: Uint8Array | undefined): boolean {
  const members = body && readMembers(body, ["store", "background"], true);
  return members !== undefined && storesIn(members);
}

function storesIn(members: JsonMembers): boolean {
  return members.value("store") === true || members.value("background") === true;
}

const MEMBERS = [
  ...["model", "models", "provider", "session_id"],
  ...["stream", "store", "background"],
  ...["previous_response_id", "conversation", "input_file_id"],
];

/** Only of JSON, and of what has no type and looks like it. */
function jsonMembers({ peeked, whole }: RequestFacts, syntax: BodySyntax): JsonMembers | undefined {
  if (!peeked || peeked.length === 0) return undefined;
  const isJson = syntax === "json" || (syntax === "untyped" && peeked[0] === OPEN_BRACE);
  return isJson ? readMembers(peeked, MEMBERS, whole) : undefined;
}

const OPEN_BRACE = 0x7b;

function formModel({ headers, peeked }: RequestFacts): FormField | undefined {
  return peeked && multipartField(peeked, headers.get("content-type")!, "model");
}

function asksForStream({ target, headers }: RequestFacts, members: JsonMembers | undefined): boolean {
  return (
    members?.value("stream") === true ||
    queryParameter(target, "stream") === "true" ||
    (headers.get("accept")?.includes("text/event-stream") ?? false)
  );
}
