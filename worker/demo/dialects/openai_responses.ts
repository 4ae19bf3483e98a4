import { z } from "zod";
import { DEMO_MODEL } from "../answer.ts";
import { countWords, type Dialect, event, nowS, type Question, said } from "./dialect.ts";
import { openaiError } from "./openai_chat.ts";

const request = z.object({ input: said, stream: z.boolean().nullish() });

/** https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: Dialect = {
  streamType: "text/event-stream",
  read(body) {
    const { data } = request.safeParse(body);
    return data && { text: data.input, stream: data.stream ?? false };
  },
  whole: (question, words) => completed(makeIds(), question, words),
  pieces(question, words) {
    const ids = makeIds();
    let sequence_number = 0;
    const next = (type: string, rest: object) =>
      event({ type, sequence_number: sequence_number++, ...rest }, type);
    const response = { ...begun(ids), status: "in_progress" };
    const place = { item_id: ids.item, output_index: 0, content_index: 0 };
    const done = completed(ids, question, words);
    const item = done.output[0]!;
    const part = item.content[0]!;
    return [
      next("response.created", { response }) +
        next("response.in_progress", { response }) +
        next("response.output_item.added", {
          output_index: 0,
          item: { ...item, status: "in_progress", content: [] },
        }) +
        next("response.content_part.added", { ...place, part: { ...part, text: "" } }),
      ...words.map((delta) => next("response.output_text.delta", { ...place, delta, logprobs: [] })),
      next("response.output_text.done", { ...place, text: part.text, logprobs: [] }) +
        next("response.content_part.done", { ...place, part }) +
        next("response.output_item.done", { output_index: 0, item }) +
        next("response.completed", { response: done }),
    ];
  },
  error: openaiError,
};

interface Ids {
  response: string;
  item: string;
}

function makeIds(): Ids {
  return { response: `resp_${crypto.randomUUID()}`, item: `msg_${crypto.randomUUID()}` };
}

function begun(ids: Ids) {
  return {
    ...{ id: ids.response, object: "response", created_at: nowS(), model: DEMO_MODEL, output: [] },
    ...{ error: null, incomplete_details: null, instructions: null, metadata: {} },
    ...{ parallel_tool_calls: true, tool_choice: "auto", tools: [], temperature: null, top_p: null },
  };
}

function completed(ids: Ids, { text }: Question, words: readonly string[]) {
  const input_tokens = countWords(text);
  const content = [{ type: "output_text", text: words.join(""), annotations: [] }];
  return {
    ...begun(ids),
    status: "completed",
    output: [{ id: ids.item, type: "message", role: "assistant", status: "completed", content }],
    usage: {
      ...{ input_tokens, input_tokens_details: { cached_tokens: 0 } },
      ...{ output_tokens: words.length, output_tokens_details: { reasoning_tokens: 0 } },
      total_tokens: input_tokens + words.length,
    },
  };
}
