import assert from "node:assert/strict";
import { ADMIN_TOKEN, endRelay } from "./admin_view.ts";
import { type DnsAnswer, DnsServer } from "./dns_server.ts";
import { KeysFile } from "./keys_file.ts";
import { RelayProgram } from "./program.ts";
import { RawClient, type RequestText, requestText } from "./raw_client.ts";
import { failureCode, type RawResponse } from "./raw_client_response.ts";
import { ScriptedWorker } from "./scripted_worker.ts";

/** Networks that an endpoint of a test has to open, as its provider is on loopback. */
export const LOOPBACK = ["127.0.0.0/8", "::1/128"];

export const KEY = "sbx_key-of-an-upstream-0123456789";
/** Good for requests to workers only. */
export const CLIENT_KEY = "sbx_key-of-a-client-0123456789";

export const HOST = "vllm.pool.example";

/** The endpoint `http://vllm.pool.example:PORT/v1/chat`, or another one there. */
export function endpointAt(port: number, target = "/v1/chat"): string {
  return `http://${HOST}:${port}${target}`;
}

/** `200`, or `403 override_not_allowed`. */
export function said(response: RawResponse): string {
  const { status, body } = response;
  return body.startsWith("{") ? `${status} ${failureCode(response)}` : `${status}`;
}

/** An `[[override.endpoint]]` of all that is below `/v1` there. */
export function listed(port: number, more: object = {}): object {
  return { name: "vllm", patterns: [endpointAt(port, "/v1/**")], allow_private: LOOPBACK, ...more };
}

export interface StandOptions {
  /** Keys and their owners, beside `upstream` with `KEY` and `client` with `CLIENT_KEY`. */
  keys?: Record<string, string>;
  scopes?: Record<string, string[]>;
  /** Which endpoints a key is limited to. */
  limits?: Record<string, string[]>;
  flags?: string[];
  env?: Record<string, string>;
}

/**
 * A relay with an `[override]` table, the DNS server that it asks, and a worker that serves every model on every path
 * and must never see a request that names an endpoint.
 */
export class OverrideStand implements AsyncDisposable {
  /** What the DNS server answers. */
  resolves: (name: string) => DnsAnswer = () => ["127.0.0.1"];
  dns!: DnsServer;
  relay!: RelayProgram;
  worker!: ScriptedWorker;
  readonly #keys: KeysFile;
  readonly #clients: RawClient[] = [];

  private constructor(options: StandOptions) {
    const scopes = { upstream: ["override"], client: ["inference"], ...options.scopes };
    this.#keys = new KeysFile({ upstream: KEY, client: CLIENT_KEY, ...options.keys }, scopes, options.limits);
  }

  /** `table` without its resolver: `[override]`. */
  static async start(table: object, options: StandOptions = {}): Promise<OverrideStand> {
    const stand = new OverrideStand(options);
    stand.dns = await DnsServer.start((name) => stand.resolves(name));
    const resolver = `127.0.0.1:${stand.dns.port}`;
    stand.relay = await RelayProgram.start(["--api-keys-file", stand.#keys.path, ...(options.flags ?? [])], {
      env: {
        MODELRELAY_ADMIN_TOKEN: ADMIN_TOKEN,
        SIGNALBOX_OVERRIDE: JSON.stringify({ resolver, ...table }),
        ...options.env,
      },
    });
    stand.worker = await ScriptedWorker.connect(stand.relay.url, {
      register: { models: ["*"], max_concurrent: 64 },
      serve: async (request) => (await request.received()).answer(200, "a worker"),
    });
    return stand;
  }

  /** The port of the listener that is for overrides. */
  async listenerPort(): Promise<number> {
    return Number((await this.relay.says(/Listening for overrides address=\S+:(\d+)/))[1]);
  }

  /** A request that names an endpoint, or none, with the key that may, unless `headers` show another. */
  text(endpoint: string | undefined, { headers, ...rest }: RequestText = {}): string {
    const isBodiless = rest.method !== undefined && rest.method !== "POST";
    return requestText({
      ...(!isBodiless && { body: { model: "m", messages: [] } }),
      headers: {
        authorization: `Bearer ${KEY}`,
        ...(endpoint !== undefined && { "x-provider-endpoint": endpoint }),
        ...headers,
      },
      ...rest,
    });
  }

  async send(text: string, where: number | string = this.relay.port): Promise<RawClient> {
    const client = await RawClient.sends(where, text);
    this.#clients.push(client);
    return client;
  }

  async ask(endpoint: string, rest: RequestText = {}): Promise<RawResponse> {
    return await this.answerTo(this.text(endpoint, rest));
  }

  async answerTo(text: string, where?: number | string): Promise<RawResponse> {
    return await (await this.send(text, where)).response();
  }

  /** `overrides` of `/admin/stats`, which is not there before the first. */
  async counts(): Promise<Record<string, Record<string, number>>> {
    const answer = await fetch(`${this.relay.url}/admin/stats`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    return ((await answer.json()) as { overrides?: Record<string, Record<string, number>> }).overrides ?? {};
  }

  /** The worker got nothing so far, and would have: what names no endpoint it does get. */
  async isWorkerUntouched(): Promise<void> {
    assert.deepEqual(
      this.worker.requests.map(({ head }) => head),
      [],
    );
    const headers = { authorization: `Bearer ${CLIENT_KEY}` };
    const { status, body } = await this.answerTo(requestText({ headers, body: { model: "m" } }));
    assert.deepEqual([status, body], [200, "a worker"]);
    assert.equal(this.worker.requests.splice(0).length, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.leave();
    await this.worker?.[Symbol.asyncDispose]();
    await endRelay(this.relay);
    await this.dns?.[Symbol.asyncDispose]();
    this.#keys[Symbol.dispose]();
  }
}
