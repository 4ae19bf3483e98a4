import { connect, type Socket } from "node:net";
import process from "node:process";

const BODY = JSON.stringify({ model: "m", messages: [{ role: "user", content: "x".repeat(940) }] });
const TAIL = Buffer.from("0\r\n\r\n");

/** A request of 1 kB for a model, as bytes. */
export function requestTo(url: URL, headers: Readonly<Record<string, string>> = {}): Buffer {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
      `${fields.join("")}content-length: ${BODY.length}\r\n\r\n${BODY}`,
  );
}

/** One connection of a load generator: sends one request after the other. Anything but a 200 ends the process. */
export class LoadConnection {
  #left = -1;
  #head = "";
  #chunked = false;
  readonly #socket: Socket;
  readonly #answered: (connection: LoadConnection) => void;

  constructor(url: URL, answered: (connection: LoadConnection) => void) {
    this.#answered = answered;
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.#socket.on("data", (data: Buffer) => this.#read(data));
    this.#socket.on("error", (error) => {
      console.error(error.message);
      process.exit(1);
    });
  }

  send(request: Uint8Array): void {
    this.#left = -1;
    this.#head = "";
    this.#socket.write(request);
  }

  #read(data: Buffer): void {
    if (this.#left < 0) {
      this.#head += data.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#head.startsWith("HTTP/1.1 200")) {
        console.error(this.#head);
        process.exit(1);
      }
      const length = /content-length: (\d+)/i.exec(this.#head)?.[1];
      this.#chunked = length === undefined;
      this.#left = Number(length ?? 0) - (this.#head.length - end - 4);
    } else if (!this.#chunked) this.#left -= data.length;
    const over = this.#chunked ? data.subarray(-TAIL.length).equals(TAIL) : this.#left <= 0;
    if (over) this.#answered(this);
  }
}
