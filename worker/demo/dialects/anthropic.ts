import { DEMO_MODEL } from "../answer.ts";
import { countWords, type Dialect, event, type Question, readChat } from "./dialect.ts";

/** https://docs.claude.com/en/api/messages-streaming */
export const anthropic: Dialect = {
  streamType: "text/event-stream",
  read: readChat,
  whole: (question, words) => ({
    ...head(question, words.length),
    content: [{ type: "text", text: words.join("") }],
    stop_reason: "end_turn",
  }),
  pieces(question, words) {
    const next = (type: string, rest: object) => event({ type, ...rest }, type);
    return [
      next("message_start", { message: head(question, 0) }) +
        next("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      ...words.map((text) => next("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
      next("content_block_stop", { index: 0 }) +
        next("message_delta", {
          delta: { stop_reason: "end_turn", stop_sequence: null },
          usage: { output_tokens: words.length },
        }) +
        next("message_stop", {}),
    ];
  },
  error: (message) => ({ type: "error", error: { type: "invalid_request_error", message } }),
};

function head({ text }: Question, output_tokens: number) {
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
