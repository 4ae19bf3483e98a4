import type { HeaderPairs } from "../../shared/http1/types.ts";
import { LINK_FORM, type LinkForm } from "./link_form.ts";
import type { RelayProgram } from "./program.ts";
import { RawClient, type RequestText, requestText } from "./raw_client.ts";
import type { RawResponse } from "./raw_client_response.ts";
import { type ScriptedRequest, ScriptedWorker } from "./scripted_worker.ts";

/** What a worker does with a request, whose body is there. */
export type Script = (request: ScriptedRequest, worker: ScriptedWorker) => unknown;

let stands = 0;

/** Workers of one model that nobody else serves, each under a provider's name; and clients that ask for it. */
export class RoutingStand implements AsyncDisposable {
  readonly model = `model-${++stands}`;
  readonly #workers: ScriptedWorker[] = [];
  readonly #clients: RawClient[] = [];

  constructor(
    readonly relay: RelayProgram,
    readonly form: LinkForm = LINK_FORM,
  ) {}

  /** Without a script the test answers: `next`. `register`: over one slot, and the stand's model. */
  async worker(provider: string, script?: Script, register: object = {}): Promise<ScriptedWorker> {
    const connected: Promise<ScriptedWorker> = ScriptedWorker.connect(this.relay.url, {
      form: this.form,
      query: `?provider=${encodeURIComponent(provider)}`,
      register: { worker_name: `at ${provider}`, models: [this.model], ...register },
      // Requests that waited for it come before it is told that it is connected.
      ...(script && { serve: async (request) => script(await request.received(), await connected) }),
    });
    const worker = await connected;
    this.#workers.push(worker);
    return worker;
  }

  /** POST a chat for the stand's model, unless `body` is a text or `rest` says otherwise. */
  async send(body: object | string = {}, rest: RequestText = {}): Promise<RawClient> {
    const client = await RawClient.sends(this.relay.port, this.text(body, rest));
    this.#clients.push(client);
    return client;
  }

  async ask(body: object | string = {}, rest: RequestText = {}): Promise<RawResponse> {
    return await (await this.send(body, rest)).response();
  }

  text(body: object | string, { headers, ...rest }: RequestText): string {
    const isBodiless = rest.method !== undefined && rest.method !== "POST";
    return requestText({
      ...(!isBodiless && { body: typeof body === "string" ? body : { model: this.model, ...body } }),
      headers: { ...(!isBodiless && { "content-type": "application/json" }), ...headers },
      ...rest,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.leave();
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
  }
}

/** A whole answer, always the same. */
export function says(status: number, body: string, headers: HeaderPairs = []) {
  return (request: ScriptedRequest) => request.answer(status, body, headers);
}

/** What a response says of its routing. */
export function routed({ headers }: RawResponse) {
  return {
    provider: headers.get("x-signalbox-provider"),
    model: headers.get("x-signalbox-model"),
    attempts: headers.get("x-signalbox-attempts"),
  };
}
