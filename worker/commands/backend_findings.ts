import { z } from "zod";
import { ask } from "../../shared/command_line/ask.ts";
import { type Finding, ok, problem, warning } from "../../shared/command_line/findings.ts";
import { nearest } from "../../shared/command_line/nearest.ts";
import { Http1Failure } from "../../shared/http1/types.ts";
import { modelsIn } from "../catalog.ts";
import { jsonOf } from "../get.ts";
import type { WorkerSettings } from "../settings.ts";

export interface BackendCheck {
  backendUrl: string;
  settings: WorkerSettings;
  caPem: string[] | undefined;
}

/** Whether the backend answers, what it has, and what of it the relay's clients would reach. */
export async function* backendFindings(check: BackendCheck): AsyncGenerator<Finding> {
  const { backendUrl, settings, caPem } = check;
  const answer = await ask(`${backendUrl}/v1/models`, caPem);
  if (answer instanceof Http1Failure) {
    yield problem(
      "backend",
      `${backendUrl}: ${answer.message}`,
      "is it running, and is --backend-url right?",
    );
    return;
  }
  yield ok("backend", `${backendUrl} answers in ${Math.ceil(answer.tookMs)} ms`);
  yield models(settings.models, modelsIn(answer), answer.status);
  yield prefixes(settings.endpointPrefixes);
  const slots = await slotsOf(check);
  if (slots !== undefined) yield concurrency(settings.maxConcurrency, slots);
}

/** More names are no help. */
const NAMES_SHOWN = 5;

function models(wanted: readonly string[], listed: string[] | undefined, status: number): Finding {
  if (wanted.includes("*")) {
    if (!listed) {
      return warning(
        "models",
        `the backend has no list of them (GET /v1/models gave ${status}): every model is offered`,
        "name them: --models llama3,qwen3",
      );
    }
    if (listed.length === 0) return warning("models", "the backend has none", "load or pull one there");
    return ok("models", inShort(listed));
  }
  const missing = wanted.filter((model) => listed && !listed.includes(model));
  if (missing.length === 0) return ok("models", inShort(wanted));
  const meant = nearest(missing[0]!, listed!);
  return warning(
    "models",
    `the backend does not list ${inShort(missing)}`,
    meant ? `did you mean ${meant}?` : `it lists ${inShort(listed!) || "none"}`,
  );
}

function inShort(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return names.slice(0, NAMES_SHOWN).join(", ") + more;
}

/** Ollama deletes models, llama.cpp shows slots: whoever may call the relay may call that too. */
function prefixes(served: readonly string[]): Finding {
  if (served.length > 0) return ok("prefixes", served.join(", "));
  return warning(
    "prefixes",
    "every path of the backend is offered, those that manage it too",
    "narrow it: --endpoint-prefixes /v1",
  );
}

/** https://github.com/ggml-org/llama.cpp/tree/master/tools/server, "GET /props" */
const props = z.object({ total_slots: z.int().positive() });

/** How many requests the backend takes at a time, where it tells; only llama.cpp's server does. */
async function slotsOf({ backendUrl, caPem }: BackendCheck): Promise<number | undefined> {
  const answer = await ask(`${backendUrl}/props`, caPem);
  if (answer instanceof Http1Failure) return undefined;
  return props.safeParse(jsonOf(answer)).data?.total_slots;
}

function concurrency(limit: number, slots: number): Finding {
  if (limit === slots) return ok("slots", `${limit} at a time, as many as the backend has`);
  const found = `${limit} at a time, and the backend has ${slots}`;
  const hint = `--max-concurrency ${slots}`;
  return limit < slots
    ? warning("slots", `${found}: ${slots - limit} of them stay idle`, hint)
    : warning("slots", `${found}: the others wait there, where no other worker can take them`, hint);
}
