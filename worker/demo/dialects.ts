import { countWords, DEMO_MODEL, type Question } from "./answer.ts";

/** How an API writes what the demo says. */
export interface Dialect {
  /** The answer as one JSON document. */
  whole(question: Question, words: readonly string[]): object;
  /** The answer as events, each to be sent by itself. */
  events(question: Question, words: readonly string[]): string[];
  error(message: string): object;
}

const nowS = () => Math.floor(Date.now() / 1000);

/** https://platform.openai.com/docs/api-reference/chat */
export const openai: Dialect = {
  whole(question, words) {
    const prompt_tokens = countWords(question.text);
    return {
      ...openaiHead("chat.completion"),
      choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
      usage: {
        prompt_tokens,
        completion_tokens: words.length,
        total_tokens: prompt_tokens + words.length,
      },
    };
  },
  events(_question, words) {
    const head = openaiHead("chat.completion.chunk");
    const chunk = (delta: object, finish_reason: "stop" | null = null) =>
      `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    return [
      chunk({ role: "assistant", content: "" }),
      ...words.map((content) => chunk({ content })),
      `${chunk({}, "stop")}data: [DONE]\n\n`,
    ];
  },
  error: (message) => ({ error: { message, type: "invalid_request_error", code: null, param: null } }),
};

function openaiHead(object: string) {
  return { id: `chatcmpl-${crypto.randomUUID()}`, object, created: nowS(), model: DEMO_MODEL };
}

/** https://docs.claude.com/en/api/messages-streaming */
export const anthropic: Dialect = {
  whole: (question, words) => ({
    ...anthropicHead(question, words.length),
    content: [{ type: "text", text: words.join("") }],
    stop_reason: "end_turn",
  }),
  events(question, words) {
    const event = (type: string, rest: object) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
    return [
      event("message_start", { message: anthropicHead(question, 0) }) +
        event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      ...words.map((text) => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
      event("content_block_stop", { index: 0 }) +
        event("message_delta", {
          delta: { stop_reason: "end_turn", stop_sequence: null },
          usage: { output_tokens: words.length },
        }) +
        event("message_stop", {}),
    ];
  },
  error: (message) => ({ type: "error", error: { type: "invalid_request_error", message } }),
};

function anthropicHead({ text }: Question, output_tokens: number) {
  return {
    id: `msg_${crypto.randomUUID()}`,
    type: "message",
    role: "assistant",
    model: DEMO_MODEL,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: countWords(text), output_tokens },
  };
}
