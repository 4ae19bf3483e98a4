import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";

/** tungstenite's defaults, which both ModelRelay programs run with. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What comes off the socket. After `gone` nothing follows. */
export interface WebSocketHandlers {
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  ping?(): void;
  pong?(): void;
  /** The TCP connection ended, or something stood on it that tungstenite does not take; `code` 1006 without close frame. */
  gone(code: number, reason: string): void;
}

/** RFC 6455, 4.2.2. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/**
 * A WebSocket on a TCP socket, in tungstenite's manner: no extensions, one frame per message when sending, its
 * limits when receiving, a connection dropped without a word over anything wrong. Also good for playing a peer by
 * hand, as frames can be sent that a browser's WebSocket would not.
 */
export class WebSocketEnd {
  readonly #socket: Socket;
  readonly #role: "client" | "server";
  readonly #handlers: WebSocketHandlers;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Before that many there is no whole frame. */
  #wantedBytes = 2;
  #message: { opcode: number; parts: Buffer[]; bytes: number } | undefined;
  #gone = false;

  /** `first`: what was read behind the handshake. */
  constructor(
    socket: Socket,
    options: { role: "client" | "server"; handlers: WebSocketHandlers; first?: Buffer },
  ) {
    this.#socket = socket;
    this.#role = options.role;
    this.#handlers = options.handlers;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#receive(bytes as Buffer));
    socket.on("end", () => this.#over(1006, ""));
    socket.on("close", () => this.#over(1006, ""));
    socket.on("error", () => this.#over(1006, ""));
    if (options.first?.length) queueMicrotask(() => this.#receive(options.first!));
  }

  get open(): boolean {
    return !this.#gone;
  }

  sendText(text: string): void {
    this.sendFrame(OPCODE.text, Buffer.from(text));
  }

  sendFrame(opcode: number, payload: Uint8Array = new Uint8Array()): void {
    if (!this.#gone) this.#socket.write(frame(opcode, payload, this.#role === "client"));
  }

  /** Say why and go, without waiting for an answer. */
  close(code: number, reason: string): void {
    if (this.#gone) return;
    this.sendFrame(OPCODE.close, closePayload(code, reason));
    this.#gone = true;
    this.#socket.end();
  }

  /** Go without a word. */
  drop(): void {
    this.#gone = true;
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    while (!this.#gone && this.#receivedBytes >= this.#wantedBytes) {
      const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
      const found = readFrame(all, this.#role === "server");
      if (found === "wrong") return this.#over(1006, "");
      const isWhole = typeof found !== "number";
      this.#wantedBytes = isWhole ? 2 : found;
      this.#received = [isWhole ? all.subarray(found.end) : all];
      this.#receivedBytes = this.#received[0]!.length;
      if (isWhole) this.#onFrame(found.opcode, found.final, found.payload);
    }
  }

  #onFrame(opcode: number, final: boolean, payload: Buffer): void {
    if (opcode === OPCODE.ping) {
      this.sendFrame(OPCODE.pong, payload);
      this.#handlers.ping?.();
    } else if (opcode === OPCODE.pong) this.#handlers.pong?.();
    else if (opcode === OPCODE.close) this.#onClose(payload);
    else this.#onData(opcode, final, payload);
  }

  #onClose(payload: Buffer): void {
    this.sendFrame(OPCODE.close, payload.subarray(0, 2));
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    this.#over(code, payload.subarray(2).toString());
  }

  #onData(opcode: number, final: boolean, payload: Buffer): void {
    const isContinuation = opcode === OPCODE.continuation;
    if (isContinuation !== (this.#message !== undefined)) return this.#over(1006, "");
    this.#message ??= { opcode, parts: [], bytes: 0 };
    this.#message.parts.push(payload);
    this.#message.bytes += payload.length;
    if (this.#message.bytes > MAX_MESSAGE_BYTES) return this.#over(1006, "");
    if (!final) return;
    const { opcode: first, parts } = this.#message;
    this.#message = undefined;
    const whole = parts.length === 1 ? payload : Buffer.concat(parts);
    if (first === OPCODE.binary) return this.#handlers.binary(whole);
    const text = decodeUtf8(whole);
    if (text === undefined) return this.#over(1006, "");
    this.#handlers.text(text);
  }

  #over(code: number, reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    if (code === 1006) this.#socket.destroy();
    else this.#socket.end();
    this.#handlers.gone(code, reason);
  }
}

function frame(opcode: number, payload: Uint8Array, masked: boolean): Buffer {
  const length = payload.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, xor(Buffer.from(payload), mask)]);
}

function xor(bytes: Buffer, mask: Buffer): Buffer {
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= mask[index & 3]!;
  return bytes;
}

function closePayload(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}

interface Frame {
  opcode: number;
  final: boolean;
  payload: Buffer;
  end: number;
}

/** The frame at the start of `bytes`, or how many bytes it takes to see more of it. */
function readFrame(bytes: Buffer, fromClient: boolean): Frame | number | "wrong" {
  if (bytes.length < 2) return 2;
  const [first, second] = [bytes[0]!, bytes[1]!];
  const opcode = first & 0x0f;
  const final = (first & 0x80) !== 0;
  const short = second & 0x7f;
  const isControl = opcode >= 8;
  const known = (Object.values(OPCODE) as number[]).includes(opcode);
  // Clients mask, servers do not; nobody agreed on an extension.
  if (!known || (first & 0x70) !== 0 || fromClient !== (second & 0x80) > 0) return "wrong";
  if (isControl && (!final || short > 125)) return "wrong";
  const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < lengthEnd) return lengthEnd;
  const length =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (length > MAX_FRAME_BYTES) return "wrong";
  const start = lengthEnd + (fromClient ? 4 : 0);
  if (bytes.length < start + length) return start + length;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (fromClient) xor(payload, bytes.subarray(lengthEnd, start));
  return { opcode, final, payload, end: start + length };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
