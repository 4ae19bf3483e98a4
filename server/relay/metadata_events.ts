import { findMembers, readMembers } from "../json_members.ts";
import { type BodyChange, CLOSE_BRACE, OPEN_BRACE, withMember } from "./body_change.ts";
import { EventBlocks, eventFields } from "./event_blocks.ts";

/** The APIs whose streams end in different ways: `chat` is OpenAI's completions too, `messages` is Anthropic's. */
export type StreamApi = "chat" | "responses" | "messages";

/** What an event of these types has is the last of the answer. */
const LAST_TYPES: Readonly<Record<StreamApi, readonly string[]>> = {
  chat: [],
  responses: ["response.completed", "response.incomplete"],
  messages: ["message_stop"],
};

/** The member of the event in which the answer's own members are; undefined: it is the event. */
const ANSWER_MEMBER: Readonly<Partial<Record<StreamApi, string>>> = { responses: "response" };

/** When more than this waits here, it passes as it came, and so does all that follows. */
export const HELD_MAX_BYTES = 4 * 1024 * 1024;

/** What a block costs beside its bytes: a backend may send millions of empty ones. */
const BLOCK_BYTES = 128;

const SPACE = 0x20;
const OPEN_BRACKET = 0x5b;

/**
 * Puts a member into the last event of a stream. Responses and messages tell which one that is by its type. In a
 * chat it is the one before `data: [DONE]`, or before the end where a backend leaves that out: so each event waits
 * for the next. All other bytes pass as they came, and so does what a broken stream leaves here.
 */
export class MetadataEvents implements BodyChange {
  readonly #api: StreamApi;
  readonly #member: () => string;
  readonly #blocks = new EventBlocks();
  /** Of a chat: the last event that is an object, then what came behind it: comments, and events of other kinds. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #over = false;

  /** `member`: what is to stand in the event, `"name":value`. Asked for once, when it is written. */
  constructor(api: StreamApi, member: () => string) {
    this.#api = api;
    this.#member = member;
  }

  data(chunk: Uint8Array): Uint8Array[] {
    if (this.#over) return [chunk];
    const passed = this.#blocks.data(chunk).flatMap((block) => this.#block(block));
    const tooMuch = this.#heldBytes + this.#blocks.pendingBytes > HELD_MAX_BYTES;
    return this.#over || tooMuch ? [...passed, ...this.cut()] : passed;
  }

  end(): Uint8Array[] {
    if (this.#over) return [];
    // An event that nothing ended: some clients take it.
    const rest = this.#blocks.rest();
    const passed = rest.length === 0 ? [] : this.#block(rest);
    return [...passed, ...this.#changed()];
  }

  cut(): Uint8Array[] {
    this.#over = true;
    const rest = this.#blocks.rest();
    return rest.length === 0 ? this.#released() : [...this.#released(), rest];
  }

  #block(block: Uint8Array): Uint8Array[] {
    const fields = this.#over ? undefined : eventFields(block);
    if (fields === undefined) return this.#behind(block);
    const { name, data } = fields;
    if (this.#api === "chat") return this.#chatEvent(block, data);
    const type = name === "" ? readMembers(data, ["type"], true)?.value("type") : name;
    return LAST_TYPES[this.#api].includes(String(type)) ? this.#withMember(block, data) : [block];
  }

  #chatEvent(block: Uint8Array, data: Uint8Array): Uint8Array[] {
    if (isDone(data)) return [...this.#changed(), block];
    if (firstByte(data) !== OPEN_BRACE) return this.#behind(block);
    return [...this.#released(), ...this.#hold(block)];
  }

  /** A copy: a view would keep the whole message that it came in. */
  #hold(block: Uint8Array): [] {
    this.#held.push(new Uint8Array(block));
    this.#heldBytes += block.length + BLOCK_BYTES;
    return [];
  }

  /** What is no event to change stays in its place: behind the one that waits, when one does. */
  #behind(block: Uint8Array): Uint8Array[] {
    return this.#held.length === 0 ? [block] : this.#hold(block);
  }

  #released(): Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** The chat is over: what waits, its event with the member in it. */
  #changed(): Uint8Array[] {
    this.#over = true;
    const [event, ...behind] = this.#released();
    return event ? [...this.#withMember(event, eventFields(event)!.data), ...behind] : [];
  }

  #withMember(block: Uint8Array, data: Uint8Array): Uint8Array[] {
    const at = closingBrace(data, ANSWER_MEMBER[this.#api]);
    if (at === undefined) return [block];
    this.#over = true;
    let before = at - 1;
    while (data[before]! <= SPACE) before--;
    return withMember(block, { at, before: data[before], member: this.#member() });
  }
}

/** Where the object ends that is all of the JSON, or one member of it; undefined when there is none. */
function closingBrace(json: Uint8Array, memberName: string | undefined): number | undefined {
  const { whole, wanted } = findMembers(json, memberName === undefined ? [] : [memberName]);
  if (!whole) return undefined;
  if (memberName === undefined) return json.lastIndexOf(CLOSE_BRACE);
  const member = wanted.get(memberName)?.at(-1);
  return member && json[member.start] === OPEN_BRACE ? member.end - 1 : undefined;
}

const firstByte = (data: Uint8Array) => data.find((byte) => byte > SPACE);

function isDone(data: Uint8Array): boolean {
  return firstByte(data) === OPEN_BRACKET && new TextDecoder().decode(data).trim() === "[DONE]";
}
