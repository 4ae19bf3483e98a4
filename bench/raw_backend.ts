/**
 * The backend of the benchmarks: as little work per request as can be, so that what is measured is in front of it.
 * Prints its URL. GET or POST: `/unary` 600 bytes of JSON, `/burst` 100 events of 160 bytes in a write each,
 * `/paced` the same with 20 ms between, `/bulk?bytes=N` N bytes, `/upload` answers the number of bytes it got, `/digest` their SHA-256,
 * `/endless` events for ever. With `--hold-little` the kernel keeps little of what it wrote and nobody took.
 */
import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { kernelBuffers } from "../shared/runtime/bun_kernel_buffers.ts";
import { block } from "./block.ts";

const head = (type: string, framing: string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${framing}\r\n\r\n`;
const json = JSON.stringify({ id: "x", text: "y".repeat(578) });
const UNARY = Buffer.from(`${head("application/json", `content-length: ${json.length}`)}${json}`);
const STREAM = Buffer.from(head("text/event-stream", "transfer-encoding: chunked"));
const event = `data: ${"z".repeat(152)}\n\n`;
const EVENT = Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`);
const END = Buffer.from("0\r\n\r\n");
const BLOCK = block();

const server = createServer({ noDelay: true }, (socket) => {
  let text = "";
  let uploading = 0;
  let uploaded = 0;
  let hash: ReturnType<typeof createHash> | undefined;
  socket.on("error", () => {});
  socket.on("data", (data: Buffer) => {
    if (uploading > 0) return upload(data);
    text += data.toString("latin1");
    for (;;) {
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const requestHead = text.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(requestHead)?.[1] ?? 0);
      const [, target = "/"] = requestHead.split(" ", 2);
      if (target.startsWith("/upload") || target.startsWith("/digest")) {
        uploading = length;
        hash = target.startsWith("/digest") ? createHash("sha256") : undefined;
        const first = Buffer.from(text.slice(end + 4), "latin1");
        text = "";
        return upload(first);
      }
      if (text.length < end + 4 + length) return;
      text = text.slice(end + 4 + length);
      answer(socket, target);
    }
  });

  function upload(data: Buffer): void {
    uploaded += data.length;
    hash?.update(data);
    if (uploaded < uploading) return;
    const body = hash?.digest("hex") ?? String(uploaded);
    uploading = 0;
    uploaded = 0;
    socket.write(`${head("text/plain", `content-length: ${body.length}`)}${body}`);
  }
});

function answer(socket: Socket, target: string): void {
  if (target.startsWith("/burst")) burst(socket);
  else if (target.startsWith("/paced")) paced(socket, 100);
  else if (target.startsWith("/endless")) endless(socket);
  else if (target.startsWith("/bulk")) bulk(socket, Number(/bytes=(\d+)/.exec(target)?.[1] ?? 0));
  else socket.write(UNARY);
}

function burst(socket: Socket): void {
  socket.write(STREAM);
  for (let n = 0; n < 100; n++) socket.write(EVENT);
  socket.write(END);
}

function paced(socket: Socket, left: number): void {
  socket.write(STREAM);
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    socket.write(EVENT);
    if (--left > 0) return;
    socket.write(END);
    clearInterval(timer);
  }, 20);
}

function endless(socket: Socket): void {
  socket.write(STREAM);
  const block = Buffer.concat(Array.from({ length: 100 }, () => EVENT));
  pump(socket, () => block);
}

function bulk(socket: Socket, bytes: number): void {
  socket.write(head("application/octet-stream", `content-length: ${bytes}`));
  let left = bytes;
  pump(socket, () => {
    const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
    left -= block.length;
    return block.length > 0 ? block : undefined;
  });
}

/** Write as fast as the other end takes. */
function pump(socket: Socket, next: () => Buffer | undefined): void {
  for (;;) {
    if (socket.destroyed) return;
    const block = next();
    if (!block) return;
    if (!socket.write(block)) {
      socket.once("drain", () => pump(socket, next));
      return;
    }
  }
}

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  if (process.argv.includes("--hold-little")) kernelBuffers.limitUnsent();
  console.log(`http://127.0.0.1:${port}`);
});
