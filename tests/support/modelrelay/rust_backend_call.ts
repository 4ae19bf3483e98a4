import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type HttpHead, HttpReader, lastValue } from "./http_text.ts";

/** A backend's answer as ModelRelay's worker gets it from its HTTP library. */
export interface BackendHandlers {
  head(status: number, headers: Record<string, string>): void;
  /** As it was read from the connection, without chunked framing. */
  data(bytes: Buffer): void;
  end(): void;
  /** Refused, broken off, or not HTTP. */
  failed(error: Error): void;
}

export interface BackendCall {
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
  body?: string;
}

const MAX_REDIRECTS = 10;
const STAYS = ["content-length", "connection", "host"];
/** What the library follows; 301 to 303 turn a POST into a GET. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** Send one request, each over a connection of its own. The result gives up on it. */
export function callBackend(call: BackendCall, handlers: BackendHandlers, redirects = 0): () => void {
  const { hostname, port, pathname, search } = new URL(call.url);
  const socket = connect(Number(port || 80), hostname);
  let giveUp = () => {
    over = true;
    socket.destroy();
  };
  let over = false;
  const fail = (error: Error) => {
    if (over) return;
    giveUp();
    handlers.failed(error);
  };
  const reader = new HttpReader("response", {
    head: (head) => {
      const status = Number(head.firstLine.split(" ")[1]);
      const location = lastValue(head, "location");
      if (REDIRECTS.includes(status) && location && redirects < MAX_REDIRECTS) {
        giveUp();
        giveUp = callBackend(redirected(call, status, location), handlers, redirects + 1);
      } else handlers.head(status, answerHeaders(head));
    },
    body: (bytes) => over || handlers.data(bytes),
    end: () => {
      if (over) return;
      giveUp();
      handlers.end();
    },
  });
  socket.on("connect", () => write(socket, call, pathname + search));
  socket.on("data", (bytes) => over || reader.receive(bytes as Buffer));
  socket.on("error", fail);
  socket.on("end", () => over || reader.closed() || fail(new Error("the backend broke off")));
  socket.on("close", () => fail(new Error("the backend broke off")));
  return () => giveUp();
}

/** Whatever was forwarded goes out, `transfer-encoding` too; `accept` is added when it is missing. */
function write(socket: Socket, { method, url, headers, body }: BackendCall, target: string): void {
  const kept = Object.entries(headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name, value]) => !STAYS.includes(name) && isHeader(name, value));
  const chunked = kept.some(([name]) => name === "transfer-encoding");
  if (!kept.some(([name]) => name === "accept")) kept.push(["accept", "*/*"]);
  kept.push(["host", new URL(url).host]);
  const length = Buffer.byteLength(body ?? "");
  if (body !== undefined && !chunked) kept.push(["content-length", `${length}`]);
  const framed =
    chunked && length > 0
      ? `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      : `${body ?? ""}${chunked ? "0\r\n\r\n" : ""}`;
  socket.write(
    `${method} ${target} HTTP/1.1\r\n${kept.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${framed}`,
  );
}

function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value);
}

/** Sorted, the last of a name, in lower case, without those three. */
function answerHeaders({ headers }: HttpHead): Record<string, string> {
  const kept = headers.filter(([name, value]) => !STAYS.includes(name) && isHeader(name, value));
  return Object.fromEntries([...new Map(kept)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function redirected(call: BackendCall, status: number, location: string): BackendCall {
  const url = new URL(location, call.url).href;
  if (status >= 307) return { ...call, url };
  const headers = Object.fromEntries(
    Object.entries(call.headers).filter(([name]) => !/^(content-.*|transfer-encoding)$/i.test(name)),
  );
  return { method: "GET", url, headers };
}
