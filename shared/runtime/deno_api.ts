// https://docs.deno.com/api/deno/

/** What the adapter uses of `Deno`. Declared here, as the compiler knows one runtime's globals only: Bun's. */
export interface DenoApi {
  version: { deno: string };
  serve(options: DenoServeOptions, handler: DenoHandler): DenoServer;
  upgradeWebSocket(
    request: Request,
    options: { protocol?: string; idleTimeout: number },
  ): { response: Response; socket: WebSocket };
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<DenoConn>;
  startTls(conn: DenoConn, options: { hostname: string; caCerts: string[] }): Promise<DenoTlsConn>;
}

export type DenoHandler = (request: Request, info: DenoRequestInfo) => Response | Promise<Response>;

export interface DenoRequestInfo {
  remoteAddr: { hostname?: string };
}

export interface DenoServeOptions {
  hostname?: string;
  port?: number;
  /** Of a unix socket. */
  path?: string;
  cert?: string;
  key?: string;
  signal: AbortSignal;
  onListen(): void;
  onError(error: unknown): Response;
}

export interface DenoServer {
  addr: { port?: number };
  finished: Promise<void>;
  shutdown(): Promise<void>;
}

export interface DenoConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
  setNoDelay(noDelay: boolean): void;
}

export interface DenoTlsConn extends DenoConn {
  handshake(): Promise<unknown>;
}

/** Undefined on Bun, where nothing calls the adapter. */
export const Deno: DenoApi = (globalThis as { Deno?: DenoApi }).Deno!;
