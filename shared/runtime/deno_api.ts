// https://docs.deno.com/api/deno/

/** What the adapter uses of `Deno`. Declared here, as the compiler knows one runtime's globals only: Bun's. */
export interface DenoApi {
  version: { deno: string };
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<DenoConn>;
  startTls(conn: DenoConn, options: { hostname: string; caCerts: string[] }): Promise<DenoTlsConn>;
  dlopen(library: string, symbols: Record<string, object>): { symbols: unknown };
  permissions: { querySync(permission: { name: "ffi" }): { state: "granted" | "prompt" | "denied" } };
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
