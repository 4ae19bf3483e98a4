import { z } from "zod";
import { DEMO_MODEL } from "../answer.ts";
import { countWords, type Dialect, type Question, readChat } from "./dialect.ts";

const generate = z.object({ prompt: z.string(), stream: z.boolean().nullish() });

/** https://docs.ollama.com/api/chat */
export const ollamaChat: Dialect = ollama(
  (body) => readChat(body, true),
  (content) => ({ message: { role: "assistant", content } }),
);

/** https://docs.ollama.com/api/generate */
export const ollamaGenerate: Dialect = ollama(
  (body) => {
    const { data } = generate.safeParse(body);
    return data && { text: data.prompt, stream: data.stream ?? true };
  },
  (response) => ({ response }),
);

/** https://docs.ollama.com/api/tags */
export const OLLAMA_TAGS = { models: [{ name: DEMO_MODEL, model: DEMO_MODEL, size: 0, details: {} }] };

/** Both write lines of JSON; they differ in what they ask, and in where a text stands. */
function ollama(read: Dialect["read"], saying: (text: string) => object): Dialect {
  return {
    streamType: "application/x-ndjson",
    read,
    whole: (question, words) => ({ ...head(), ...saying(words.join("")), ...ending(question, words) }),
    pieces(question, words) {
      const line = (object: object) => `${JSON.stringify({ ...head(), ...object })}\n`;
      return [
        ...words.map((word) => line({ ...saying(word), done: false })),
        line({ ...saying(""), ...ending(question, words) }),
      ];
    },
    error: (message) => ({ error: message }),
  };
}

function head() {
  return { model: DEMO_MODEL, created_at: new Date().toISOString() };
}

function ending({ text }: Question, words: readonly string[]) {
  return {
    ...{ done: true, done_reason: "stop" },
    ...{ prompt_eval_count: countWords(text), eval_count: words.length },
  };
}
