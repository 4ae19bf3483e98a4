import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import net from "node:net";
import ipaddr from "ipaddr.js";

/** What is answered for a name: its addresses, at this moment; none is NXDOMAIN. */
export type DnsAnswer = readonly string[] | "silence" | "server failure";

const TYPE_A = 1;
const TYPE_AAAA = 28;
/** Flags of an answer: recursion wanted and available. */
const ANSWERED = 0x8180;
const TRUNCATED = 0x0200;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;
/** RFC 1035 4.2.1: more does not fit a datagram. */
const DATAGRAM_MAX_BYTES = 512;

/** A DNS server (RFC 1035) on loopback, over UDP and TCP, whose answers a test decides. Times to live are 0. */
export class DnsServer implements AsyncDisposable {
  /** Each question, such as `A unit1.example`. */
  readonly questions: string[] = [];
  readonly #answer: (name: string) => DnsAnswer;
  readonly #udp: dgram.Socket;
  readonly #tcp: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(answer: (name: string) => DnsAnswer, host: string) {
    this.#answer = answer;
    this.#udp = dgram.createSocket(net.isIPv6(host) ? "udp6" : "udp4");
    this.#udp.on("message", (question, { port, address }) => {
      const answered = this.#respond(question, DATAGRAM_MAX_BYTES);
      if (answered) this.#udp.send(answered, port, address);
    });
    this.#tcp = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      let received = Buffer.alloc(0);
      socket.on("data", (bytes) => {
        received = Buffer.concat([received, bytes as Buffer]);
        // Each question stands behind its length.
        while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
          const end = 2 + received.readUInt16BE(0);
          const answered = this.#respond(received.subarray(2, end), 65_535);
          if (answered) socket.write(Buffer.concat([u16(answered.length), answered]));
          received = received.subarray(end);
        }
      });
    });
  }

  /** @throws Error when the one port that is free for TCP is not for UDP, which is rare */
  static async start(answer: (name: string) => DnsAnswer, host = "127.0.0.1"): Promise<DnsServer> {
    const server = new DnsServer(answer, host);
    await new Promise<void>((resolve) => server.#tcp.listen(0, host, resolve));
    await new Promise<void>((resolve, reject) => {
      server.#udp.on("error", reject);
      server.#udp.bind(server.port, host, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#tcp.address() as net.AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  #respond(question: Buffer, maxBytes: number): Buffer | undefined {
    const { name, type, end } = readQuestion(question);
    this.questions.push(`${type === TYPE_A ? "A" : type === TYPE_AAAA ? "AAAA" : type} ${name}`);
    const answer = this.#answer(name);
    if (answer === "silence") return undefined;
    const asked = question.subarray(12, end);
    const head = (flags: number, count: number) =>
      Buffer.concat([
        question.subarray(0, 2),
        u16(ANSWERED | flags),
        u16(1),
        u16(count),
        u16(0),
        u16(0),
        asked,
      ]);
    if (answer === "server failure") return head(SERVER_FAILURE, 0);
    if (answer.length === 0) return head(NO_SUCH_NAME, 0);
    const records = answer.map((text) => record(text)).filter((one) => one.type === type);
    const whole = Buffer.concat([head(0, records.length), ...records.map(({ bytes }) => bytes)]);
    return whole.length > maxBytes ? head(TRUNCATED, 0) : whole;
  }
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at++]!; length > 0; length = message[at++]!) {
    labels.push(message.toString("latin1", at, at + length));
    at += length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at), end: at + 4 };
}

/** The name is that of the question, which stands behind the head of 12 bytes. */
function record(text: string): { type: number; bytes: Buffer } {
  const address = Buffer.from(ipaddr.parse(text).toByteArray());
  const type = address.length === 4 ? TYPE_A : TYPE_AAAA;
  const timeToLive = Buffer.alloc(4);
  const bytes = Buffer.concat([u16(0xc00c), u16(type), u16(1), timeToLive, u16(address.length), address]);
  return { type, bytes };
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
