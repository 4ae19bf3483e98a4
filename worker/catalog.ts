import { z } from "zod";
import type { Http1Client } from "../shared/http1/client.ts";
import type { Origin } from "../shared/http1/types.ts";

/** A model list longer than this is no model list. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;

const modelList = z.object({ data: z.array(z.object({ id: z.string() })) });

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
  const list = answer.status === 200 ? modelList.safeParse(parseJson(answer.body)) : undefined;
  if (!list?.success) return { kind: "unlisted" };
  return { kind: "listed", models: list.data.data.map((model) => model.id) };
}

function get(
  client: Http1Client,
  origin: Origin,
  target: string,
): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    let status = 0;
    let body = "";
    const decoder = new TextDecoder();
    const exchange = client.request(
      origin,
      { method: "GET", target, headers: [["accept", "application/json"]] },
      "none",
      {
        head: (head) => {
          status = head.status;
        },
        data: (bytes) => {
          body += decoder.decode(bytes, { stream: true });
          if (body.length <= MAX_LIST_BYTES) return;
          exchange.cancel();
          resolve({ status: 0, body: "" });
        },
        end: () => resolve({ status, body }),
        failed: () => resolve(undefined),
      },
      { idempotent: true },
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
