// https://bun.com/docs/api/tcp
import { release } from "../release.ts";
import { trustToo } from "./authorities.ts";
import { passed } from "./bun_garbage.ts";
import { kernelBuffers } from "./bun_kernel_buffers.ts";
import { type ByteConnection, type ByteHandlers, DialError, type DialOptions } from "./ports.ts";

/** Its types leave the descriptor out. */
type Socket = Bun.Socket<BunConnection> & { readonly fd: number };

/** What a system error says about why there is no connection. Certificates fail in the handshake, not here. */
const KINDS: Record<string, DialError["kind"]> = {
  ENOTFOUND: "resolve",
  EAI_AGAIN: "resolve",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
};

/** Why there is no connection, from the error that Bun gives. */
function bunDialError(attempt: string, error: Error): DialError {
  const kind = KINDS[(error as { code?: string }).code ?? ""] ?? "unreachable";
  return new DialError(kind, `${attempt}: ${error.message}`, { cause: error });
}

/** One connection, and the `data` of its socket: from the dial on, so that an abandoned one is closed. */
class BunConnection implements ByteConnection {
  /** What the kernel did not take, and how much of the first of these it took since. */
  #rest: Uint8Array[] = [];
  #taken = 0;
  #socket: Socket | undefined;
  #open = false;
  #over = false;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly options: DialOptions,
    private readonly handlers: ByteHandlers,
    private readonly dialled: { resolve(connection: ByteConnection): void; reject(error: DialError): void },
  ) {
    const late = `no connection within ${options.timeoutMs} ms`;
    this.#timer = setTimeout(() => this.fail("timeout", late), options.timeoutMs);
  }

  get attempt(): string {
    return `Cannot connect to ${this.options.host}:${this.options.port}`;
  }

  // --- dialling --------------------------------------------------------------------------------------------

  /** There is a TCP connection: all that is wanted, or what the TLS handshake now runs on. */
  connected(socket: Socket): void {
    if (this.#over) return void socket.terminate();
    this.#socket = socket;
    socket.setNoDelay(true);
    const { unreadBytes } = this.options;
    if (unreadBytes !== undefined) kernelBuffers.limitUnread(socket.fd, unreadBytes);
    if (!this.options.tls) this.#ready();
  }

  /** Bun reports an untrusted certificate, or one of another name, and leaves closing to us. */
  shookHands(trusted: boolean, error: Error | null): void {
    if (this.#over) return;
    if (trusted && !error) this.#ready();
    else this.fail("tls", error?.message ?? "the handshake failed", error);
  }

  fail(kind: DialError["kind"], why: string, cause?: unknown): void {
    this.reject(new DialError(kind, `${this.attempt}: ${why}`, { cause }));
  }

  reject(error: DialError): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
    this.dialled.reject(error);
  }

  #ready(): void {
    clearTimeout(this.#timer);
    this.#open = true;
    this.dialled.resolve(this);
  }

  // --- from the socket -------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    passed(bytes.length);
    if (!this.#over) this.handlers.data(bytes);
    release(bytes);
  }

  /** Also called after opening, when nobody waits. */
  drained(): void {
    if (this.#over || this.#rest.length === 0) return;
    while (this.#rest.length > 0) {
      const bytes = this.#rest[0]!;
      this.#taken += this.#push(bytes.subarray(this.#taken));
      if (this.#taken < bytes.length) return;
      this.#rest.shift();
      this.#taken = 0;
      release(bytes);
    }
    this.handlers.drain();
  }

  ended(error: Error | undefined): void {
    if (this.#over) return;
    if (!this.#open) {
      return this.fail(this.options.tls ? "tls" : "unreachable", error?.message ?? "the peer closed", error);
    }
    this.#over = true;
    this.handlers.closed(error);
  }

  // --- from the caller -------------------------------------------------------------------------------------

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    const taken = this.#rest.length > 0 ? 0 : this.#push(bytes);
    if (taken === bytes.length) return true;
    // A copy (`slice` of a Buffer is none): the caller's bytes are its own again when this returns.
    this.#rest.push(new Uint8Array(bytes.subarray(taken)));
    return false;
  }

  pause(): void {
    this.#socket!.pause();
  }

  resume(): void {
    this.#socket!.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest = [];
    this.#socket!.end();
  }

  /** How much the kernel took; Bun says -1 for a socket that is closed. */
  #push(bytes: Uint8Array): number {
    return Math.max(0, this.#socket!.write(bytes as Uint8Array<ArrayBuffer>));
  }
}

/** One object for all connections; each connection's own state is its socket's `data`. */
const HANDLERS: Bun.SocketHandler<BunConnection> = {
  binaryType: "uint8array",
  open: (socket) => socket.data.connected(socket as Socket),
  handshake: (socket, trusted, error) => socket.data.shookHands(trusted, error),
  data: (socket, bytes) => socket.data.received(bytes),
  drain: (socket) => socket.data.drained(),
  close: (socket, error) => socket.data.ended(error),
  // Without it, a failed dial would be reported as an unhandled rejection. Bun closes the socket by itself.
  connectError() {},
};

export function dial(options: DialOptions, handlers: ByteHandlers): Promise<ByteConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<ByteConnection>();
  const connection = new BunConnection(options, handlers, { resolve, reject });
  const tls = options.tls && { serverName: options.tls.serverName, ...trustToo(options.tls.caPem) };
  Bun.connect<BunConnection>({
    hostname: options.address ?? options.host,
    port: options.port,
    socket: HANDLERS,
    data: connection,
    ...(tls && { tls }),
  }).catch((error: Error) => connection.reject(bunDialError(connection.attempt, error)));
  return promise;
}
