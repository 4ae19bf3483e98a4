import { Buffer } from "node:buffer";
import { fieldValue } from "../../shared/headers.ts";
import { joined } from "../../shared/joined.ts";
import type { LinkResponseHead } from "../../shared/link/events.ts";
import { readMembers } from "../json_members.ts";
import { givesId, keptIdsInPath } from "../kept_things.ts";
import { isCoded, isJson, mediaType } from "../media_type.ts";
import { ByteTail } from "./byte_tail.ts";
import { DataEvents } from "./data_events.ts";

/** The usage stands in the last members of an answer, or in its last events. */
const USAGE_WITHIN_BYTES = 4 * 1024;

/** The id stands before what was generated; before it, some repeat the request's instructions and tools. */
const ID_WITHIN_BYTES = 64 * 1024;

export interface ObservedAnswer {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly head: LinkResponseHead;
  /** Called once at most, as soon as the id is known: a client may ask for the thing before its answer is over. */
  kept(id: string): void;
}

/**
 * What can be learned of one answer from its bytes as they pass: how many tokens were generated for it, and the id
 * of a thing that its backend keeps from now on. Changes nothing and keeps no chunk.
 */
export class AnswerFacts {
  readonly #kept: (id: string) => void;
  readonly #tail = new ByteTail(USAGE_WITHIN_BYTES);
  readonly #events: DataEvents | undefined;
  /** Where the id is looked for; undefined: nowhere, or no longer. */
  #start: Uint8Array[] | undefined;
  #startLength = 0;

  /** Undefined when there is nothing to learn. */
  static of(answer: ObservedAnswer): AnswerFacts | undefined {
    const { method, path, head } = answer;
    if (method !== "POST" || head.status < 200 || head.status > 299) return undefined;
    if (isCoded(fieldValue(head.headers, "content-encoding"))) return undefined;
    const type = mediaType(fieldValue(head.headers, "content-type") ?? null);
    const streams = type === "text/event-stream";
    if (!streams && !isJson(type) && type !== "application/x-ndjson") return undefined;
    const gives = givesId(method, path);
    // An answer about something older repeats the usage of that.
    if (!gives && keptIdsInPath(path).length > 0) return undefined;
    return new AnswerFacts(answer.kept, { streams, gives });
  }

  private constructor(kept: (id: string) => void, { streams, gives }: { streams: boolean; gives: boolean }) {
    this.#kept = kept;
    this.#events = streams ? new DataEvents() : undefined;
    this.#start = gives ? [] : undefined;
  }

  /** The next bytes of the body: not changed, not kept. */
  data(chunk: Uint8Array): void {
    this.#tail.push(chunk);
    this.#events?.feed(chunk);
    if (this.#start) this.#begins(chunk, this.#start);
  }

  /**
   * The body is complete.
   *
   * @returns how many tokens were generated: as the backend says, else one for each event of a stream. Undefined
   *   when that is not known, or less than 2: those say nothing of a speed.
   */
  end(): number | undefined {
    if (this.#start) this.#lookForId(this.#start);
    const tokens = tokensIn(this.#tail.bytes) ?? this.#events?.count ?? 0;
    return tokens >= 2 ? tokens : undefined;
  }

  #begins(chunk: Uint8Array, start: Uint8Array[]): void {
    const part = new Uint8Array(chunk.subarray(0, ID_WITHIN_BYTES - this.#startLength));
    start.push(part);
    this.#startLength += part.length;
    const firstEvent = this.#events !== undefined && this.#events.count > 0;
    if (firstEvent || this.#startLength === ID_WITHIN_BYTES) this.#lookForId(start);
  }

  #lookForId(start: Uint8Array[]): void {
    this.#start = undefined;
    const bytes = joined(start);
    const from = this.#events ? responseIn(bytes) : 0;
    const id = readMembers(bytes.subarray(from), ["id"], false)?.value("id");
    if (typeof id === "string" && id !== "") this.#kept(id);
  }
}

/** As OpenAI, Anthropic and Ollama say it. */
const USAGE = /"(?:completion_tokens|output_tokens|eval_count)"\s*:\s*(\d+)/g;

/** The last of them: streams may count up. */
function tokensIn(tail: Uint8Array): number | undefined {
  const found = [...latin1(tail).matchAll(USAGE)].at(-1);
  return found && Number(found[1]);
}

/** Where the value of `response` begins in the first line of data, as `/v1/responses` streams it. */
function responseIn(stream: Uint8Array): number {
  const line = /^data:.*/m.exec(latin1(stream));
  const found = line && /"response"\s*:\s*(?=\{)/.exec(line[0]);
  return found ? line.index + found.index + found[0].length : stream.length;
}

/** A character for each byte: what is looked for is ASCII. */
function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}
