// https://bun.com/docs/api/http
import { ReceivedFields } from "../received_fields.ts";
import { kernelBuffers } from "./bun_kernel_buffers.ts";
import { type BunServerSocket, serverSocket, socketHandlers } from "./bun_server_socket.ts";
import { checkCertificatePair } from "./certificate_pair.ts";
import { keepToGroup, peerAddress, portInUse, removeAbandoned } from "./listening.ts";
import type { Listener, ListenOptions, RequestContext, SocketHandlers } from "./ports.ts";
import { normalTarget } from "./target.ts";

type Server = Bun.Server<BunServerSocket>;

/** Bun has answered with 101 by then and looks at no Response. */
const UPGRADED = new Response(null);

/** Stands for an answer that is still to come. */
const NOT_YET = Symbol("not yet");

/** Shorter than any origin with a host: "https://". The path starts at the first slash behind it. */
const SCHEME_LENGTH = 8;

class BunContext implements RequestContext {
  /** What the handler gave: from when there is a response on, its body tells that the client left. */
  answer: Response | Promise<Response> | undefined;
  /** Known only as long as the client is there. */
  readonly peer: string;
  #target: string | undefined;
  #fields: ReceivedFields | undefined;

  constructor(
    private readonly server: Server,
    private readonly request: Request,
    readonly secure: boolean,
  ) {
    this.peer = peerAddress(server.requestIP(request)?.address);
  }

  get target(): string {
    this.#target ??= this.#readTarget();
    return this.#target;
  }

  get fields(): ReceivedFields {
    this.#fields ??= new ReceivedFields(this.request.headers);
    return this.#fields;
  }

  /** Bun writes the URL without an origin when there is no `Host` or not a valid one. */
  #readTarget(): string {
    const url = this.request.url;
    if (url.startsWith("/")) return normalTarget(url);
    const path = url.indexOf("/", SCHEME_LENGTH);
    return path < 0 ? "/" : normalTarget(url.slice(path));
  }

  onGone(gone: () => void): void {
    const { signal } = this.request;
    if (signal.aborted) return gone();
    signal.addEventListener("abort", () => {
      // Looked at only now: whoever is told of every answer costs each request a promise.
      const first = Promise.race([this.answer, NOT_YET]);
      first.then((answer) => (answer === NOT_YET ? gone() : undefined)).catch(() => {});
    });
  }

  upgrade(handlers: SocketHandlers, protocol = ""): Response {
    // Left out, the first protocol that the client offers would be chosen; empty, none is.
    const headers = { "sec-websocket-protocol": protocol };
    if (this.server.upgrade(this.request, { data: serverSocket(handlers), headers })) return UPGRADED;
    throw new TypeError("Cannot upgrade the request: it asks for no WebSocket, or its client has left");
  }
}

function serve(options: ListenOptions, port: number, tls: ListenOptions["tls"]): Server {
  const { handle, hostname, unix } = options;
  const secure = tls !== undefined;
  try {
    // Without development mode Bun shares a port that another process listens on, and takes half its clients.
    const where = unix === undefined ? { hostname, port, reusePort: false } : { unix };
    return Bun.serve<BunServerSocket>({
      // Its types know no idle timeout on a unix socket, where it has one all the same.
      ...(where as { port: number }),
      ...(tls && { tls: { cert: tls.certPem, key: tls.keyPem } }),
      development: false,
      // Otherwise quiet streams are cut after 10 s. Headers still have to arrive within Bun's own 12 s.
      idleTimeout: 0,
      maxRequestBodySize: options.maxRequestBodyBytes,
      error: () => new Response(null, { status: 500 }),
      websocket: socketHandlers(options.maxMessageBytes),
      fetch(request: Request, server: Server) {
        const context = new BunContext(server, request, secure);
        if (context.peer === "" && unix === undefined) return new Response(null, { status: 400 });
        context.answer = handle(request, context);
        return context.answer;
      },
    });
  } catch (error) {
    throw (error as { code?: string }).code === "EADDRINUSE" ? portInUse(options, port, error) : error;
  }
}

class BunListener implements Listener {
  #server: Server;
  /** Servers with an older certificate: they accept nothing, and live until their connections end. */
  readonly #retired = new Set<Server>();

  constructor(private readonly options: ListenOptions) {
    this.#server = serve(options, options.port, options.tls);
    kernelBuffers.limitUnsent();
  }

  get hostname(): string {
    return this.options.unix ?? this.#server.hostname!;
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  /** `server.reload` keeps the certificate, so another server takes over the port, within one turn. */
  reloadTls(tls: { certPem: string; keyPem: string }): void {
    checkCertificatePair(tls);
    const { port } = this;
    const retired = this.#server;
    this.#retired.add(retired);
    void retired.stop().then(() => this.#retired.delete(retired));
    this.#server = serve(this.options, port, tls);
    kernelBuffers.limitUnsent();
  }

  async stop(force = false): Promise<void> {
    await Promise.all([this.#server, ...this.#retired].map((server) => server.stop(force)));
  }
}

export async function listen(options: ListenOptions): Promise<Listener> {
  if (options.unix !== undefined) await removeAbandoned(options.unix);
  const listener = new BunListener(options);
  if (options.unix !== undefined) keepToGroup(options.unix);
  return listener;
}
