import { runtime } from "../../shared/runtime/current.ts";
import type { Listener } from "../../shared/runtime/ports.ts";
import { answerTo, DEMO_MODEL } from "./answer.ts";
import { anthropic } from "./dialects/anthropic.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { OLLAMA_TAGS, ollamaChat, ollamaGenerate } from "./dialects/ollama.ts";
import { openaiChat, openaiError } from "./dialects/openai_chat.ts";
import { openaiCompletions } from "./dialects/openai_completions.ts";
import { openaiResponses } from "./dialects/openai_responses.ts";

/** 20 words a second: faster than one reads, slow enough to see them come. */
const WORD_INTERVAL_MS = 50;

/** A chat request of a person is far smaller. */
const MAX_BODY_BYTES = 1024 * 1024;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  "/v1/chat/completions": openaiChat,
  "/v1/completions": openaiCompletions,
  "/v1/responses": openaiResponses,
  "/v1/messages": anthropic,
  "/api/chat": ollamaChat,
  "/api/generate": ollamaGenerate,
};

const LISTS: Readonly<Record<string, object>> = {
  "/v1/models": {
    object: "list",
    data: [{ id: DEMO_MODEL, object: "model", created: 0, owned_by: "demo" }],
  },
  "/api/tags": OLLAMA_TAGS,
};

/**
 * Start an HTTP server that behaves like one of a language model, and says that it is none. `servedBy`: the worker in
 * front of it, as its answers name it.
 */
export function startDemoBackend(servedBy = "its worker"): Promise<Listener> {
  return runtime.listen({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodyBytes: MAX_BODY_BYTES,
    maxMessageBytes: 0,
    handle(request, context) {
      const path = context.target.split("?", 1)[0]!;
      const dialect = DIALECTS[path];
      if (request.method === "POST" && dialect) return answer(request, dialect, servedBy);
      if (request.method === "GET" && LISTS[path]) return Response.json(LISTS[path]);
      return Response.json(openaiError(`The demo backend has no ${request.method} ${path}`), { status: 404 });
    },
  });
}

async function answer(request: Request, dialect: Dialect, servedBy: string): Promise<Response> {
  const body: unknown = await request.json().catch(() => undefined);
  const question = dialect.read(body);
  if (!question) {
    const message = "Cannot answer: the body must be a JSON object with what is said, as text";
    return Response.json(dialect.error(message), { status: 400 });
  }
  const words = answerTo(question.text, servedBy);
  if (!question.stream) return Response.json(dialect.whole(question, words));
  return new Response(paced(dialect.pieces(question, words)), {
    headers: { "content-type": dialect.streamType, "cache-control": "no-cache" },
  });
}

function paced(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      if (next > 0) await new Promise((resolve) => setTimeout(resolve, WORD_INTERVAL_MS));
      controller.enqueue(encoder.encode(pieces[next++]));
      if (next === pieces.length) controller.close();
    },
  });
}
