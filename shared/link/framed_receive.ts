import { Buffer } from "node:buffer";
import {
  type ExchangeId,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
  RESET_CODES,
  type ResetCode,
} from "./events.ts";
import { FLAG, FRAME, type FrameView, readFrame, readU32 } from "./frames.ts";
import { linesToPairs, readLines } from "./heads.ts";
import { MAX_CREDIT_BYTES, MAX_DATA_BYTES, MAX_MESSAGE_BYTES, MAX_RESET_TEXT_BYTES } from "./limits.ts";
import { type ControlMessage, parseRelayMessage, parseWorkerMessage } from "./messages.ts";

export type Progress = Extract<LinkEvent, { type: "started" | "response" | "end" }>;

/** What a message can hold, one call each. Bytes are a part of the message. */
export interface FrameHandlers {
  request(id: ExchangeId, head: LinkRequestHead, window: number): void;
  progress(event: Progress): void;
  data(id: ExchangeId, bytes: Uint8Array, text: boolean): void;
  reset(id: ExchangeId, code: ResetCode, text: string): void;
  resetAck(id: ExchangeId): void;
  credit(id: ExchangeId, bytes: number): void;
  control(message: ControlMessage): void;
}

/** Which frames come from which end. The other way round they are an error. */
const FROM_RELAY = new Set<number>([FRAME.REQUEST, FRAME.DATA, FRAME.END, FRAME.RESET, FRAME.CREDIT]);
const FROM_WORKER = new Set<number>([
  FRAME.RESPONSE,
  FRAME.DATA,
  FRAME.END,
  FRAME.RESET,
  FRAME.STARTED,
  FRAME.RESET_ACK,
  FRAME.CREDIT,
]);

/**
 * Takes messages apart and checks each frame by itself; whether it may come now is the connection's matter.
 * Any bytes give either calls or one `LinkProtocolError`.
 */
export class FrameReceiver {
  readonly #view: FrameView = { type: 0, flags: 0, exchange: 0, start: 0, end: 0 };
  readonly #allowed: Set<number>;

  /** `role`: of the end that receives. */
  constructor(
    readonly role: "relay" | "worker",
    readonly handlers: FrameHandlers,
  ) {
    this.#allowed = role === "relay" ? FROM_WORKER : FROM_RELAY;
  }

  receive(message: string | Uint8Array): void {
    if (message.length > MAX_MESSAGE_BYTES) throw tooLong("message", message.length, MAX_MESSAGE_BYTES);
    if (typeof message === "string") return this.handlers.control(this.#controlMessage(message));
    const view = this.#view;
    for (let offset = 0; offset < message.length; ) {
      readFrame(message, offset, view);
      // The view may be another one's when the frame has been handled.
      offset = view.end;
      if (!this.#allowed.has(view.type)) {
        throw new LinkProtocolError(`A frame of type ${view.type} came, which the other end does not send`);
      }
      this.#frame(message, view);
    }
  }

  /** Requests and responses are frames on this link; the JSON messages that carry them have no place here. */
  #controlMessage(text: string): ControlMessage {
    const message = this.role === "relay" ? parseWorkerMessage(text) : parseRelayMessage(text);
    switch (message.type) {
      case "request":
      case "cancel":
      case "response_chunk":
      case "response_complete":
        throw new LinkProtocolError(`A "${message.type}" message came on a framed link`);
      default:
        return message;
    }
  }

  #frame(message: Uint8Array, view: FrameView): void {
    const { handlers } = this;
    const { exchange, start, end } = view;
    switch (view.type) {
      case FRAME.DATA:
        if (end - start > MAX_DATA_BYTES) throw tooLong("DATA frame", end - start, MAX_DATA_BYTES);
        return handlers.data(exchange, message.subarray(start, end), (view.flags & FLAG.TEXT) !== 0);
      case FRAME.CREDIT:
        wantLength("CREDIT", view, 4);
        return handlers.credit(exchange, readU32(message, start));
      case FRAME.END:
        wantLength("END", view, 0);
        return handlers.progress({ type: "end", exchange });
      case FRAME.STARTED:
        wantLength("STARTED", view, 0);
        return handlers.progress({ type: "started", exchange });
      case FRAME.RESET_ACK:
        wantLength("RESET_ACK", view, 0);
        return handlers.resetAck(exchange);
      case FRAME.RESET:
        return this.#reset(message, view);
      case FRAME.RESPONSE:
        return this.#response(message, view);
      default:
        return this.#request(message, view);
    }
  }

  #request(message: Uint8Array, { flags, exchange, start, end }: FrameView): void {
    if (end - start < 4) throw new LinkProtocolError("Cannot read a REQUEST: its window is missing");
    const lines = readLines(message, start + 4, end);
    const [method, target] = lines;
    if (!method || !target?.startsWith("/")) {
      throw new LinkProtocolError("Cannot read a REQUEST: a method and a path that starts with / are wanted");
    }
    const head: LinkRequestHead = {
      method,
      target,
      headers: linesToPairs(lines, 2),
      hasBody: (flags & FLAG.NO_BODY) === 0,
      streaming: (flags & FLAG.STREAMING) !== 0,
      upgrade: (flags & FLAG.UPGRADE) !== 0,
      model: "",
    };
    const window = readU32(message, start);
    if (window > MAX_CREDIT_BYTES) throw tooLong("window", window, MAX_CREDIT_BYTES);
    this.handlers.request(exchange, head, window);
  }

  #response(message: Uint8Array, { exchange, start, end }: FrameView): void {
    if (end - start < 2) throw new LinkProtocolError("Cannot read a RESPONSE: its status is missing");
    const status = (message[start]! << 8) | message[start + 1]!;
    const headers = linesToPairs(readLines(message, start + 2, end), 0);
    this.handlers.progress({ type: "response", exchange, head: { status, headers } });
  }

  #reset(message: Uint8Array, { exchange, start, end }: FrameView): void {
    if (end === start) throw new LinkProtocolError("Cannot read a RESET: its code is missing");
    if (end - start - 1 > MAX_RESET_TEXT_BYTES)
      throw tooLong("RESET frame", end - start, MAX_RESET_TEXT_BYTES + 1);
    // A code of a later version means at least that the exchange is over.
    const code = RESET_CODES[message[start]!] ?? "cancelled";
    const text = Buffer.from(message.buffer, message.byteOffset + start + 1, end - start - 1).toString();
    this.handlers.reset(exchange, code, text);
  }
}

function wantLength(name: string, view: FrameView, wanted: number): void {
  const length = view.end - view.start;
  if (length !== wanted)
    throw new LinkProtocolError(`A ${name} frame has ${length} bytes: ${wanted} are wanted`);
}

function tooLong(what: string, found: number, limit: number): LinkProtocolError {
  return new LinkProtocolError(`A ${what} is too long: at most ${limit} are taken: found ${found}`);
}
