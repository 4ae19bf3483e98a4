import { runtime } from "../../shared/runtime/current.ts";
import type { Listener } from "../../shared/runtime/ports.ts";
import { answerTo, DEMO_MODEL, readQuestion } from "./answer.ts";
import { anthropic, type Dialect, openai } from "./dialects.ts";

/** 20 words a second: faster than one reads, slow enough to see them come. */
const WORD_INTERVAL_MS = 50;

/** A chat request of a person is far smaller. */
const MAX_BODY_BYTES = 1024 * 1024;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  "POST /v1/chat/completions": openai,
  "POST /v1/messages": anthropic,
};

/** Start an HTTP server that behaves like one of a language model, and says that it is none. */
export function startDemoBackend(): Promise<Listener> {
  return runtime.listen({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodyBytes: MAX_BODY_BYTES,
    maxMessageBytes: 0,
    handle(request, context) {
      const path = context.target.split("?", 1)[0]!;
      const dialect = DIALECTS[`${request.method} ${path}`];
      if (dialect) return chat(request, dialect);
      if (request.method === "GET" && path === "/v1/models") return Response.json(MODELS);
      const message = `The demo backend has no ${request.method} ${path}`;
      return Response.json(openai.error(message), { status: 404 });
    },
  });
}

const MODELS = { object: "list", data: [{ id: DEMO_MODEL, object: "model", created: 0, owned_by: "demo" }] };

async function chat(request: Request, dialect: Dialect): Promise<Response> {
  const body: unknown = await request.json().catch(() => undefined);
  const question = readQuestion(body);
  if (!question) {
    const message = "Cannot answer: the body must be a JSON object with messages";
    return Response.json(dialect.error(message), { status: 400 });
  }
  const words = answerTo(question);
  if (!question.stream) return Response.json(dialect.whole(question, words));
  return new Response(paced(dialect.events(question, words)), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

function paced(events: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      if (next > 0) await new Promise((resolve) => setTimeout(resolve, WORD_INTERVAL_MS));
      controller.enqueue(encoder.encode(events[next++]));
      if (next === events.length) controller.close();
    },
  });
}
