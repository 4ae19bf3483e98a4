// https://docs.deno.com/api/deno/~/Deno.serve
import { checkCertificatePair } from "./certificate_pair.ts";
import { Deno, type DenoServer } from "./deno_api.ts";
import { DenoContext } from "./deno_context.ts";
import { OpenSockets } from "./deno_open_sockets.ts";
import { keepToGroup, portInUse, removeAbandoned } from "./listening.ts";
import { type Listener, type ListenOptions, PortInUse } from "./ports.ts";

/** A port that is being given up is free a moment later. */
const REBIND_INTERVAL_MS = 1;
const REBIND_ATTEMPTS = 1000;

class DenoListener implements Listener {
  readonly #sockets = new OpenSockets();
  #server: DenoServer;
  /** Of the servers that have neither ended nor been told to: Deno throws when one of those is aborted. */
  readonly #aborts = new Map<DenoServer, AbortController>();
  #stopped = false;

  constructor(private readonly options: ListenOptions) {
    this.#server = this.#serve(options.port, options.tls);
  }

  get hostname(): string {
    return this.options.unix ?? this.options.hostname;
  }

  get port(): number {
    return this.#server.addr.port ?? 0;
  }

  /** Deno keeps the certificate of a server for its life, so another server takes over the port. */
  reloadTls(tls: { certPem: string; keyPem: string }): void {
    checkCertificatePair(tls);
    const { port } = this;
    void this.#shutDown();
    void this.#rebind(port, tls);
  }

  /**
   * `shutdown` would end the WebSockets at once, so it waits for the last of them. What is left of a server that was
   * told to end before ends with its connections, or with the process.
   */
  async stop(force = false): Promise<void> {
    this.#stopped = true;
    if (force) {
      const running = [...this.#aborts];
      this.#aborts.clear();
      for (const [, abort] of running) abort.abort();
      await Promise.all(running.map(([{ finished }]) => finished));
      return;
    }
    await this.#sockets.none();
    await this.#shutDown();
  }

  #shutDown(): Promise<void> {
    const server = this.#server;
    return this.#aborts.delete(server) ? server.shutdown() : server.finished;
  }

  /** A port that nobody gets back is the end of the relay: the rejection that ends the process says so. */
  async #rebind(port: number, tls: ListenOptions["tls"]): Promise<void> {
    for (let attempt = 1; !this.#stopped; attempt++) {
      try {
        this.#server = this.#serve(port, tls);
        return;
      } catch (error) {
        if (!(error instanceof PortInUse) || attempt === REBIND_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, REBIND_INTERVAL_MS));
      }
    }
  }

  #serve(port: number, tls: ListenOptions["tls"]): DenoServer {
    const { unix, hostname, handle, maxMessageBytes } = this.options;
    const abort = new AbortController();
    const shared = { secure: tls !== undefined, maxMessageBytes, sockets: this.#sockets };
    const options = {
      ...(unix === undefined ? { hostname, port } : { path: unix }),
      ...(tls && { cert: tls.certPem, key: tls.keyPem }),
      signal: abort.signal,
      onListen() {},
      onError: () => new Response(null, { status: 500 }),
    };
    try {
      const server = Deno.serve(options, async (request, info) => {
        const context = new DenoContext(request, info, shared);
        const response = await handle(context.request, context);
        context.answered = true;
        return response;
      });
      this.#aborts.set(server, abort);
      void server.finished.then(() => this.#aborts.delete(server));
      return server;
    } catch (error) {
      throw (error as Error).name === "AddrInUse" ? portInUse(this.options, port, error) : error;
    }
  }
}

export async function listen(options: ListenOptions): Promise<Listener> {
  if (options.unix !== undefined) await removeAbandoned(options.unix);
  const listener = new DenoListener(options);
  if (options.unix !== undefined) keepToGroup(options.unix);
  return listener;
}
