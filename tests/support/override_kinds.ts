import type { OverrideStand } from "./override_stand.ts";
import { CHAT, type RequestText, requestText } from "./raw_client.ts";

/** Kinds of requests, on each of which an endpoint may be named: what refuses one of them must refuse them all. */

export interface KindAnswer {
  /** 0: the connection was closed without an answer. */
  status: number;
  /** Undefined where there is none: in an answer to HEAD, or of a runtime itself. */
  code: string | undefined;
  /** Who had it. */
  provider: string | undefined;
}

export class Kind {
  constructor(
    readonly name: string,
    readonly request: RequestText & { method: string; body?: string },
  ) {}

  get isUpgrade(): boolean {
    return this.request.headers?.upgrade !== undefined;
  }

  async ask(stand: OverrideStand, headers: RequestText["headers"]): Promise<KindAnswer> {
    const text = requestText({ ...this.request, headers: { ...this.request.headers, ...headers } });
    const client = await stand.send(text);
    const whole = await Promise.race([client.receives("\r\n\r\n"), client.isClosed()]).then(() =>
      this.request.method === "HEAD" ? undefined : client.response(),
    );
    const head = client.received.split("\r\n\r\n", 1)[0]!;
    client.leave();
    return {
      status: Number(head.split(" ")[1] ?? 0),
      code: /"code":"(\w+)"/.exec(whole?.body ?? "")?.[1],
      provider: /^x-signalbox-provider: (.*)$/im.exec(head)?.[1],
    };
  }
}

const UPLOAD = `--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n${"u".repeat(100_000)}\r\n--x--\r\n`;

export const KINDS: readonly Kind[] = [
  new Kind("chat", {
    method: "POST",
    path: CHAT,
    headers: { "content-type": "application/json" },
    body: '{"model":"m","messages":[]}',
  }),
  new Kind("any path", { method: "DELETE", path: "/any/path/at/all?and=a%20query" }),
  new Kind("upload", {
    method: "POST",
    path: "/v1/files",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    body: UPLOAD,
  }),
  new Kind("HEAD", { method: "HEAD", path: "/v1/files/1" }),
  new Kind("WebSocket", {
    method: "GET",
    path: "/v1/realtime?model=m",
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  }),
];
