import { z } from "zod";

/** The only model of the demo backend. */
export const DEMO_MODEL = "demo";

/** What the two dialects have in common of a chat request. */
const chatRequest = z.object({
  messages: z
    .array(
      z.object({
        role: z.string(),
        content: z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish(),
      }),
    )
    .min(1),
  stream: z.boolean().nullish(),
});

export interface Question {
  /** The last message. */
  text: string;
  stream: boolean;
}

/** Undefined: it is no chat request. */
export function readQuestion(body: unknown): Question | undefined {
  const request = chatRequest.safeParse(body);
  if (!request.success) return undefined;
  const { messages, stream } = request.data;
  const content = messages.at(-1)!.content ?? "";
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
  return { text, stream: stream ?? false };
}

/** Longer questions are cut: the answer is to be read. */
const LONGEST_QUOTE = 80;

/** The answer, word by word; joined, they are the text. */
export function answerTo({ text }: Question): string[] {
  const quote = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return (
    "This is the demo backend of Signalbox, no language model: it says the same to everyone. " +
    `Your words ${JSON.stringify(quote)} came to me through the relay and its worker, ` +
    "and this answer goes back the same way, word by word."
  ).match(/\S+\s*/g)!;
}

/** For the usage that clients want to see: here a word is a token. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
