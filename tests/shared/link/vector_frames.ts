import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HeaderPairs } from "../../../shared/http1/types.ts";
import { RESET_CODES } from "../../../shared/link/events.ts";
import { FrameWriter } from "../../../shared/link/frame_writer.ts";
import { FrameReceiver } from "../../../shared/link/framed_receive.ts";
import { FLAG, FRAME } from "../../../shared/link/frames.ts";

export type Role = "relay" | "worker";
export const OTHER: Record<Role, Role> = { relay: "worker", worker: "relay" };

/** A frame as `vectors.json` and `docs/protocol.md` write it. */
export type VectorFrame =
  | {
      type: "REQUEST";
      exchange: number;
      window: number;
      method: string;
      target: string;
      headers: HeaderPairs;
      has_body: boolean;
      streaming: boolean;
      upgrade: boolean;
    }
  | { type: "RESPONSE"; exchange: number; status: number; headers: HeaderPairs }
  | { type: "DATA"; exchange: number; text: boolean; payload: string }
  | { type: "RESET"; exchange: number; code: number; code_name: string; text: string }
  | { type: "CREDIT"; exchange: number; bytes: number }
  | { type: "END" | "STARTED" | "RESET_ACK"; exchange: number };

interface Case {
  name: string;
  at: Role;
  state: "none" | "open";
  before: string[];
}

export interface Vectors {
  opened_by: string;
  frames: { name: string; from: Role; hex: string; frame: VectorFrame }[];
  messages: { name: string; from: Role; hex: string; frames: VectorFrame[] }[];
  errors: (Case & { hex?: string; text?: string })[];
  ignored: (Case & { hex: string; answer: string })[];
}

export const VECTORS: Vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../protocol/vectors.json"), "utf8"),
);

export const fromHex = (hex: string): Uint8Array => Buffer.from(hex, "hex");
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The frames of a message that the end `to` receives, as the code reads them. */
export function decoded(message: Uint8Array, to: Role): VectorFrame[] {
  const frames: VectorFrame[] = [];
  const receiver = new FrameReceiver(to, {
    request: (exchange, head, window) => {
      const { method, target, headers, streaming, upgrade } = head;
      const rest = { method, target, headers, has_body: head.hasBody, streaming, upgrade };
      frames.push({ type: "REQUEST", exchange, window, ...rest });
    },
    progress: (event) => {
      const { exchange } = event;
      if (event.type === "response") frames.push({ type: "RESPONSE", exchange, ...event.head });
      else frames.push({ type: event.type === "end" ? "END" : "STARTED", exchange });
    },
    data: (exchange, bytes, text) => frames.push({ type: "DATA", exchange, text, payload: toHex(bytes) }),
    reset: (exchange, code, text) => {
      frames.push({ type: "RESET", exchange, code: RESET_CODES.indexOf(code), code_name: code, text });
    },
    resetAck: (exchange) => frames.push({ type: "RESET_ACK", exchange }),
    credit: (exchange, bytes) => frames.push({ type: "CREDIT", exchange, bytes }),
    control: () => {},
  });
  receiver.receive(message);
  return frames;
}

/** The bytes that the code writes for frames. */
export function encoded(frames: VectorFrame[]): Uint8Array {
  const writer = new FrameWriter();
  for (const frame of frames) write(writer, frame);
  return writer.take() ?? new Uint8Array();
}

function write(writer: FrameWriter, frame: VectorFrame): void {
  const { exchange } = frame;
  switch (frame.type) {
    case "REQUEST":
      return writer.request(exchange, { ...frame, hasBody: frame.has_body, model: "" }, frame.window);
    case "RESPONSE":
      return writer.response(exchange, frame);
    case "DATA":
      return writer.data(exchange, fromHex(frame.payload), frame.text ? FLAG.TEXT : 0);
    case "RESET":
      return writer.reset(exchange, frame.code, Buffer.from(frame.text));
    case "CREDIT":
      return writer.credit(exchange, frame.bytes);
    default:
      return writer.bare(FRAME[frame.type], exchange);
  }
}
