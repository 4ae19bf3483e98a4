import { z } from "zod";
import { type Dialect, event } from "./dialect.ts";
import { head, openaiError, openaiUsage } from "./openai_chat.ts";

const request = z.object({ prompt: z.string(), stream: z.boolean().nullish() });

/** https://platform.openai.com/docs/api-reference/completions */
export const openaiCompletions: Dialect = {
  streamType: "text/event-stream",
  read(body) {
    const { data } = request.safeParse(body);
    return data && { text: data.prompt, stream: data.stream ?? false };
  },
  whole: (question, words) => ({
    ...head("cmpl", "text_completion"),
    choices: [choice(words.join(""), "stop")],
    usage: openaiUsage(question, words),
  }),
  pieces(_question, words) {
    const common = head("cmpl", "text_completion");
    const chunk = (text: string, finish_reason: "stop" | null = null) =>
      event({ ...common, choices: [choice(text, finish_reason)] });
    return [...words.map((text) => chunk(text)), `${chunk("", "stop")}data: [DONE]\n\n`];
  },
  error: openaiError,
};

function choice(text: string, finish_reason: "stop" | null) {
  return { index: 0, text, logprobs: null, finish_reason };
}
