import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type JsonObject = Record<string, unknown>;

/**
 * A backend of one model that answers chat completions and responses, whole or streamed, with its own name in the
 * text, so that a test sees who was asked.
 */
export class ChatBackend implements AsyncDisposable {
  /** Bodies of the requests, parsed. */
  readonly bodies: JsonObject[] = [];
  readonly heads: IncomingHttpHeaders[] = [];
  /** When set, every request is answered with this status, and an error in OpenRouter's shape. */
  failsWith: number | undefined;
  readonly #server: Server;

  private constructor(
    readonly name: string,
    readonly model: string,
  ) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(name: string, model: string): Promise<ChatBackend> {
    const backend = new ChatBackend(name, model);
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = await text(request);
    if (request.url === "/v1/models") return sendJson(response, 200, { data: [{ id: this.model }] });
    const body = JSON.parse(content) as JsonObject;
    this.bodies.push(body);
    this.heads.push(request.headers);
    if (this.failsWith !== undefined) {
      const error = { code: this.failsWith, message: `${this.name} fails` };
      return sendJson(response, this.failsWith, { error });
    }
    const { whole, events } = request.url === "/v1/responses" ? this.#response(body) : this.#chat(body);
    if (body.stream !== true) return sendJson(response, 200, whole);
    response.writeHead(200, { "content-type": "text/event-stream" }).end(events.join(""));
  }

  #chat({ model }: JsonObject) {
    const common = { id: "chat-1", created: 1_700_000_000, model, system_fingerprint: "fp" };
    const usage = { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 };
    const message = { role: "assistant", content: `said by ${this.name}` };
    const choices = [{ index: 0, message, finish_reason: "stop", logprobs: null }];
    const chunk = (delta: JsonObject, finish_reason: string | null) =>
      event({
        ...common,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason }],
        ...(finish_reason && { usage }),
      });
    const events = ["said ", "by ", this.name].map((content) => chunk({ role: "assistant", content }, null));
    return {
      whole: { ...common, object: "chat.completion", choices, usage },
      events: [...events, chunk({}, "stop"), "data: [DONE]\n\n"],
    };
  }

  #response({ model }: JsonObject) {
    const content = [{ type: "output_text", text: `said by ${this.name}`, annotations: [] }];
    const whole = {
      ...{ id: "resp-1", object: "response", created_at: 1, completed_at: 2, status: "completed", model },
      output: [{ id: "msg-1", type: "message", role: "assistant", status: "completed", content }],
      ...{ error: null, incomplete_details: null, instructions: null, metadata: null },
      ...{ tools: [], tool_choice: "auto", parallel_tool_calls: true },
      ...{ temperature: null, top_p: null, frequency_penalty: null, presence_penalty: null },
    };
    const { output: _, ...begun } = whole;
    return {
      whole,
      events: [
        event({ type: "response.created", sequence_number: 0, response: { ...begun, output: [] } }),
        event({ type: "response.completed", response: whole, sequence_number: 1 }),
      ],
    };
  }
}

function event(data: JsonObject): string {
  const type = data.type === undefined ? "" : `event: ${data.type}\n`;
  return `${type}data: ${JSON.stringify(data)}\n\n`;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
