// https://docs.deno.com/api/deno/network
import { Deno, type DenoConn } from "./deno_api.ts";
import { type ByteConnection, type ByteHandlers, DialError, type DialOptions } from "./ports.ts";

/** Read at a time: a whole frame of the link. Each open connection holds one such buffer. */
const READ_BYTES = 64 * 1024;

/** What may wait here for the kernel, beside the megabytes that it takes by itself. */
const QUEUE_BYTES = 64 * 1024;

class DenoConnection implements ByteConnection {
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #writing = false;
  #reading = false;
  #paused = false;
  #full = false;
  #over = false;

  constructor(
    private readonly conn: DenoConn,
    private readonly handlers: ByteHandlers,
  ) {
    void this.#read();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    // A copy (`slice` of a Buffer is none): the caller's bytes are its own again when this returns.
    this.#queue.push(new Uint8Array(bytes));
    this.#queuedBytes += bytes.length;
    if (!this.#writing) void this.#writeOut();
    this.#full = this.#queuedBytes >= QUEUE_BYTES;
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#reading) void this.#read();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.conn.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    this.#reading = true;
    while (!this.#paused && !this.#over) {
      let length: number | null;
      try {
        length = await this.conn.read(buffer);
      } catch (error) {
        return this.#ended(error as Error);
      }
      if (length === null) return this.#ended();
      if (!this.#over) this.handlers.data(buffer.subarray(0, length));
    }
    this.#reading = false;
  }

  async #writeOut(): Promise<void> {
    this.#writing = true;
    try {
      for (let bytes = this.#queue[0]; bytes; bytes = this.#queue[0]) {
        const taken = await this.conn.write(bytes);
        this.#queuedBytes -= taken;
        if (taken < bytes.length) this.#queue[0] = bytes.subarray(taken);
        else this.#queue.shift();
      }
    } catch (error) {
      // What the peer sent before it closed may still be read, and reading then tells that it closed.
      if (!this.#reading) this.#ended(error as Error);
      return;
    }
    this.#writing = false;
    if (!this.#full || this.#over) return;
    this.#full = false;
    this.handlers.drain();
  }

  #ended(error?: Error): void {
    if (this.#over) return;
    this.close();
    this.handlers.closed(error);
  }
}

/** What went wrong, from the error that Deno gives: only refusals have a code or a class of their own. */
function kindOf(error: Error): DialError["kind"] {
  if (error.message.includes("failed to lookup address")) return "resolve";
  if (error.name === "ConnectionRefused") return "refused";
  if (error.name === "TimedOut") return "timeout";
  return "unreachable";
}

async function connect(options: DialOptions, signal: AbortSignal): Promise<DenoConn> {
  const conn = await Deno.connect({ hostname: options.address ?? options.host, port: options.port, signal });
  conn.setNoDelay(true);
  return conn;
}

/** The certificate is checked against `serverName`, whatever address `conn` leads to. */
async function secure(conn: DenoConn, options: DialOptions, signal: AbortSignal): Promise<DenoConn> {
  const { serverName, caPem = [] } = options.tls!;
  const secured = await Deno.startTls(conn, { hostname: serverName, caCerts: caPem });
  const abandon = () => secured.close();
  signal.addEventListener("abort", abandon);
  try {
    await secured.handshake();
    return secured;
  } catch (error) {
    if (!signal.aborted) secured.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

export async function dial(options: DialOptions, handlers: ByteHandlers): Promise<ByteConnection> {
  const attempt = `Cannot connect to ${options.host}:${options.port}`;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.timeoutMs);
  let connected = false;
  try {
    const conn = await connect(options, late.signal);
    connected = true;
    return new DenoConnection(options.tls ? await secure(conn, options, late.signal) : conn, handlers);
  } catch (error) {
    if (late.signal.aborted) {
      throw new DialError("timeout", `${attempt}: no connection within ${options.timeoutMs} ms`);
    }
    const kind = connected ? "tls" : kindOf(error as Error);
    throw new DialError(kind, `${attempt}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
