import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server answers to GET: a status, 200 if not given, and a body, JSON unless it is a text. */
interface Route {
  status?: number;
  body: unknown;
}

/** How a server of models answers to who looks what it is. */
export interface ModelServerKind {
  /** Of its `Server` field. */
  server?: string;
  routes: Readonly<Record<string, Route>>;
  /** For every other path. */
  otherwise: Route;
}

const list = (owner: string, ...models: string[]) => ({
  body: { object: "list", data: models.map((id) => ({ id, object: "model", owned_by: owner })) },
});

const NOT_FOUND = { status: 404, body: "404 page not found" };

export const OLLAMA: ModelServerKind = {
  routes: {
    "/": { body: "Ollama is running" },
    "/api/version": { body: { version: "0.12.6" } },
    "/v1/models": list("library", "llama3.2:latest", "qwen3:4b"),
  },
  otherwise: NOT_FOUND,
};

/** As it is after its installation: the list is none. */
export const EMPTY_OLLAMA: ModelServerKind = {
  ...OLLAMA,
  routes: { ...OLLAMA.routes, "/v1/models": { body: { object: "list", data: null } } },
};

export const LLAMA_CPP: ModelServerKind = {
  server: "llama.cpp",
  routes: { "/health": { body: { status: "ok" } }, "/v1/models": list("llamacpp", "tiny.gguf") },
  otherwise: { status: 404, body: { error: { code: 404, message: "File Not Found" } } },
};

/** As it answers while it reads its model. */
export const LOADING_LLAMA_CPP: ModelServerKind = {
  server: "llama.cpp",
  routes: {},
  otherwise: { status: 503, body: { error: { code: 503, message: "Loading model" } } },
};

export const VLLM: ModelServerKind = {
  server: "uvicorn",
  routes: {
    "/health": { body: "" },
    "/version": { body: { version: "0.11.0" } },
    "/v1/models": list("vllm", "Qwen/Qwen3-8B"),
  },
  otherwise: { status: 404, body: { detail: "Not Found" } },
};

/** With `--api-key`, which guards what is below `/v1`. */
export const LOCKED_VLLM: ModelServerKind = {
  ...VLLM,
  routes: { ...VLLM.routes, "/v1/models": { status: 401, body: { error: "Unauthorized" } } },
};

export const LM_STUDIO: ModelServerKind = {
  routes: {
    "/v1/models": list("organization_owner", "gemma-3-4b"),
    "/api/v0/models": list("lmstudio", "gemma-3-4b"),
  },
  otherwise: { body: { error: "Unexpected endpoint or method" } },
};

export const LOCAL_AI: ModelServerKind = {
  routes: { "/version": { body: { version: "v3.5.0" } }, "/v1/models": list("localai", "phi") },
  otherwise: NOT_FOUND,
};

/** A page for people, on llama.cpp's port: it tells its version where Ollama does, and has a page for every path. */
export const OPEN_WEBUI: ModelServerKind = {
  server: "uvicorn",
  routes: {
    "/health": { body: { status: true } },
    "/api/version": { body: { version: "0.6.30" } },
  },
  otherwise: { body: "<!doctype html>" },
};

/** No server of models, though one answers through it. */
export const RELAY: ModelServerKind = {
  routes: { ...OLLAMA.routes, "/health": { body: { status: "ok", workers_connected: 1 } } },
  otherwise: NOT_FOUND,
};

/** Paths that a server was asked for are kept. */
export class ModelServer implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor({ server, routes, otherwise }: ModelServerKind) {
    this.#server = createServer((request, response) => {
      this.asked.push(request.url!);
      if (server !== undefined) response.setHeader("server", server);
      send(response, routes[request.url!] ?? otherwise);
    });
  }

  /** `port`: a free one if not given. */
  static async start(kind: ModelServerKind, port = 0): Promise<ModelServer> {
    const started = new ModelServer(kind);
    await new Promise<void>((resolve, reject) => {
      started.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function send(response: ServerResponse, { status = 200, body }: Route): void {
  const isText = typeof body === "string";
  response.writeHead(status, { "content-type": isText ? "text/plain" : "application/json" });
  response.end(isText ? body : JSON.stringify(body));
}
