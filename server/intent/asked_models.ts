import { RelayFailure } from "../../shared/failures.ts";
import { quote } from "../../shared/printable.ts";
import type { JsonMembers } from "../json_members.ts";
import { given, queryParameter, type RequestFacts } from "./request_facts.ts";

/** Where the model stands that routing goes by. */
export type ModelSource = "body" | "header" | "form" | "query" | "none";

export interface AskedModels {
  readonly model: string | undefined;
  /** Those to fall back to: empty when a list names none but the model itself. Undefined: there is no list. */
  readonly models: readonly string[] | undefined;
  readonly modelIn: ModelSource;
}

/** More than anybody would wait for. */
const MODELS_MAX = 64;
const MODEL_MAX_CHARS = 256;

/**
 * The model comes from the JSON body, else `X-Model`, else a multipart field, else the query, else it is the first of
 * the body's `models`. A body that is only there in part may name another model further on: then `X-Model` goes
 * first.
 * @throws RelayFailure `invalid_preference` when `models` is not a list of names
 */
export function askedModels(
  facts: RequestFacts,
  members: JsonMembers | undefined,
  inForm: string | undefined,
): AskedModels {
  const list = modelList(members?.value("models"));
  const inBody = given(members?.value("model"));
  const inHeader = given(facts.headers.get("x-model"));
  if (inBody !== undefined && (facts.whole || inHeader === undefined)) return asked("body", inBody, list);
  if (inHeader !== undefined) return asked("header", inHeader, list);
  if (given(inForm) !== undefined) return asked("form", inForm, list);
  const inQuery = given(queryParameter(facts.target, "model"));
  if (inQuery !== undefined) return asked("query", inQuery, list);
  return asked(list.length > 0 ? "body" : "none", list[0], list);
}

function asked(modelIn: ModelSource, model: string | undefined, list: readonly string[]): AskedModels {
  return { model, models: list.length === 0 ? undefined : list.filter((other) => other !== model), modelIn };
}

const NO_MODELS: readonly string[] = [];

function modelList(value: unknown): readonly string[] {
  if (value === undefined || value === null) return NO_MODELS;
  if (!Array.isArray(value)) throw notModels(typeof value);
  if (value.length > MODELS_MAX) throw notModels(`${value.length} of them`);
  for (const name of value) {
    if (typeof name !== "string") throw notModels("an item that is no text");
    if (name === "" || name.length > MODEL_MAX_CHARS) throw notModels(quote(name));
  }
  return [...new Set<string>(value)];
}

function notModels(found: string): RelayFailure {
  const wanted = `at most ${MODELS_MAX} names of at most ${MODEL_MAX_CHARS} characters`;
  return new RelayFailure("invalid_preference", {
    detail: `models must be a list of ${wanted}, found ${found}`,
    param: "models",
  });
}
