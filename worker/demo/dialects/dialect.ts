import { z } from "zod";

/** How an API writes what is asked of the demo and what it says. */
export interface Dialect {
  /** Of an answer that streams. */
  readonly streamType: "text/event-stream" | "application/x-ndjson";
  /** Undefined: the body is no request of this API. */
  read(body: unknown): Question | undefined;
  /** The answer as one JSON document. */
  whole(question: Question, words: readonly string[]): object;
  /** The answer in pieces, each to be sent by itself. */
  pieces(question: Question, words: readonly string[]): string[];
  error(message: string): object;
}

export interface Question {
  /** What was said last. */
  text: string;
  stream: boolean;
}

/** A text, or a list of parts of which some are texts. */
const content = z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]);

const messages = z.array(z.object({ role: z.string(), content: content.nullish() })).min(1);

const chat = z.object({ messages, stream: z.boolean().nullish() });

/** What the chat requests of all APIs have in common. `streams`: whether answers do when the request says nothing. */
export function readChat(body: unknown, streams = false): Question | undefined {
  const { data } = chat.safeParse(body);
  return data && { text: lastOf(data.messages), stream: data.stream ?? streams };
}

/** A text, or a conversation: what was said last. */
export const said = z.union([z.string(), messages.transform(lastOf)]);

function lastOf(conversation: z.output<typeof messages>): string {
  const last = conversation.at(-1)!.content ?? "";
  return typeof last === "string" ? last : last.map((part) => part.text ?? "").join("");
}

/** For the usage that clients want to see: here a word is a token. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** Seconds since 1970, as OpenAI dates things. */
export const nowS = () => Math.floor(Date.now() / 1000);

export const event = (data: object, type?: string) =>
  `${type === undefined ? "" : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`;
