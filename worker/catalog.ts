import { z } from "zod";
import type { Http1Client } from "../shared/http1/client.ts";
import type { Origin } from "../shared/http1/types.ts";
import { type Answer, get, jsonOf } from "./get.ts";

/** Ollama without models has null for the list. */
const modelList = z.object({ data: z.array(z.object({ id: z.string() })).nullable() });

/**
 * What the backend said of its models. `unlisted`: it answers, but has no such list (a plain HTTP service);
 * `unreachable`: it does not answer at all.
 */
export type BackendModels = { kind: "listed"; models: string[] } | { kind: "unlisted" | "unreachable" };

/** Ask a backend for its models: GET `/v1/models`, as OpenAI has it and llama.cpp, vLLM, Ollama and LM Studio do. */
export async function askBackend(
  client: Http1Client,
  origin: Origin,
  basePath: string,
): Promise<BackendModels> {
  const answer = await get(client, origin, `${basePath}/v1/models`);
  if (!answer) return { kind: "unreachable" };
  const models = modelsIn(answer);
  return models ? { kind: "listed", models } : { kind: "unlisted" };
}

/** Names of the models that an answer to GET `/v1/models` lists; undefined when it is no such list. */
export function modelsIn(answer: Answer): string[] | undefined {
  const { data: list } = modelList.safeParse(jsonOf(answer));
  return list && (list.data ?? []).map(({ id }) => id);
}
