import type { Clock, Timer } from "../../../shared/clock.ts";
import type { HttpConnection } from "./http_connection.ts";
import type { Completion, RequestClient, RustServerState, ServerRequest } from "./rust_server_state.ts";

export interface ProxiedRequestOptions {
  connection: HttpConnection;
  state: RustServerState;
  clock: Clock;
  /** Until the head of the response; 0 = none. */
  timeoutMs: number;
  /** The response is complete or not wanted any more. */
  over(): void;
}

/** A client's request at the stand-in of the server, from the queue to the last byte. */
export class ProxiedRequest implements RequestClient {
  readonly #options: ProxiedRequestOptions;
  #request: ServerRequest | undefined;
  #timer: Timer | undefined;
  #begun = false;

  constructor(options: ProxiedRequestOptions) {
    this.#options = options;
  }

  submit(asked: Pick<ServerRequest, "model" | "path" | "streaming" | "body" | "headers">): void {
    const { connection, state, clock, timeoutMs } = this.#options;
    connection.gone = () => this.#giveUp();
    if (timeoutMs > 0) this.#timer = clock.after(timeoutMs, () => this.#timeOut());
    this.#request = state.submit({ ...asked, client: this });
  }

  chunk(text: string): void {
    if (!this.#begun) this.#options.connection.beginEventStream();
    this.#begun = true;
    this.#timer?.cancel();
    this.#options.connection.chunk(text);
  }

  complete({ status, headers, body }: Completion): void {
    this.#over();
    const { connection } = this.#options;
    if (this.#begun) return connection.endStream();
    const valid = Object.entries(headers)
      .filter(([name, value]) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value))
      .map(([name, value]): [string, string] => [name.toLowerCase(), value])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    // hyper does not write a response that has both framings.
    if (valid.some(([name]) => name === "transfer-encoding")) return connection.refuse();
    connection.whole(status >= 100 && status <= 999 ? status : 502, valid, body);
  }

  /** What has begun ends as if it were complete. */
  fail(text: string): void {
    this.#over();
    const { connection } = this.#options;
    if (this.#begun) return connection.endStream();
    connection.whole(
      503,
      [
        ["content-type", "text/plain; charset=utf-8"],
        ["x-content-type-options", "nosniff"],
      ],
      text,
    );
  }

  #timeOut(): void {
    this.#giveUp();
    this.#options.connection.overtime();
  }

  #giveUp(): void {
    this.#over();
    if (this.#request) this.#options.state.cancel(this.#request);
  }

  #over(): void {
    this.#timer?.cancel();
    this.#options.over();
  }
}
