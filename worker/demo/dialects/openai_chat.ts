import { DEMO_MODEL } from "../answer.ts";
import { countWords, type Dialect, event, nowS, type Question, readChat } from "./dialect.ts";

/** https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Dialect = {
  streamType: "text/event-stream",
  read: readChat,
  whole: (question, words) => ({
    ...head("chatcmpl", "chat.completion"),
    choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
    usage: openaiUsage(question, words),
  }),
  pieces(_question, words) {
    const common = head("chatcmpl", "chat.completion.chunk");
    const chunk = (delta: object, finish_reason: "stop" | null = null) =>
      event({ ...common, choices: [{ index: 0, delta, finish_reason }] });
    return [
      chunk({ role: "assistant", content: "" }),
      ...words.map((content) => chunk({ content })),
      `${chunk({}, "stop")}data: [DONE]\n\n`,
    ];
  },
  error: openaiError,
};

export function head(prefix: string, object: string) {
  return { id: `${prefix}-${crypto.randomUUID()}`, object, created: nowS(), model: DEMO_MODEL };
}

export function openaiUsage({ text }: Question, words: readonly string[]) {
  const prompt_tokens = countWords(text);
  return { prompt_tokens, completion_tokens: words.length, total_tokens: prompt_tokens + words.length };
}

export function openaiError(message: string) {
  return { error: { message, type: "invalid_request_error", code: null, param: null } };
}
