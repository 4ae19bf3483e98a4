import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { PortInUse, type RequestContext, type Runtime } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";
import { failure, Heard, Peer } from "./peer.ts";
import { bytesOf, get, HOST, MIB, RawClient, serve, Told, UNKNOWN_HOST } from "./set_up.ts";

/** For the `skip` of a test. */
const notLinux = process.platform === "linux" ? false : "descriptors are counted in /proc";

/** As many as a runtime starts with, and some for clients. */
const DESCRIPTORS = 64;

/** Ends with its standard input. */
function listeningProcess(runtime: Runtime, descriptors?: number) {
  const script = new URL("listening_process.ts", import.meta.url).pathname;
  const words = [process.execPath, ...(runtime.name === "deno" ? ["run", "-A", "--no-check"] : []), script];
  const limit = descriptors === undefined ? "" : `ulimit -n ${descriptors}; `;
  return spawn("sh", ["-c", `${limit}exec "$@"`, "sh", ...words], { stdio: ["pipe", "pipe", "inherit"] });
}

/** Answers `/idle` at once, and everything else with what `answer` becomes. */
function heldAnswer() {
  const started = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const handle = (_request: Request, { target }: RequestContext) => {
    if (target === "/idle") return new Response("idle");
    started.resolve();
    return answer.promise;
  };
  return { started: started.promise, answer, handle };
}

export function listenerContract(runtime: Runtime): void {
  test("port 0 takes a free port, and the listener says which", async () => {
    await using server = await serve(runtime, () => new Response());
    assert.ok(server.port > 0);
    assert.equal(server.hostname, HOST);
  });

  test("a port that is taken is a PortInUse that names it", async () => {
    await using server = await serve(runtime, () => new Response());
    await assert.rejects(
      serve(runtime, () => new Response(), { port: server.port }),
      (error: Error) => {
        assert.ok(error instanceof PortInUse);
        assert.match(error.message, new RegExp(`127.0.0.1:${server.port}`));
        return true;
      },
    );
  });

  // Bun shared the port with the other process, and took half its clients, when it was not in development mode.
  test("a port that another process has is a PortInUse", async () => {
    const other = listeningProcess(runtime);
    try {
      const port = Number(await new Promise((resolve) => other.stdout.once("data", resolve)));
      assert.ok(port > 0);
      await assert.rejects(
        serve(runtime, () => new Response(), { port }),
        PortInUse,
      );
    } finally {
      other.stdin.end();
    }
  });

  // node:net of Deno accepted nothing more, and told nobody.
  test("who takes all descriptors there are keeps others out for as long only", {
    skip: notLinux,
  }, async () => {
    const other = listeningProcess(runtime, DESCRIPTORS);
    try {
      const port = Number(await new Promise((resolve) => other.stdout.once("data", resolve)));
      const crowd = Array.from({ length: DESCRIPTORS }, () => new RawClient(port));
      // One that was inherited may have a number beyond the limit.
      const areTaken = () => readdirSync(`/proc/${other.pid}/fd`).length >= DESCRIPTORS;
      await until(areTaken, "a process without descriptors");
      for (const client of crowd) client.socket.destroy();
      using late = new RawClient(port, get("/"));
      await late.complete();
      assert.match(late.text, /^HTTP\/1.1 200 /);
    } finally {
      other.stdin.end();
    }
  });

  test("an address that is not ours is an error, and no PortInUse", async () => {
    await assert.rejects(
      serve(runtime, () => new Response(), { hostname: "192.0.2.1" }),
      (error) => (error as NodeJS.ErrnoException).code === "EADDRNOTAVAIL",
    );
  });

  test("stop takes no new connections and lets the open ones finish", async () => {
    const { started, answer, handle } = heldAnswer();
    await using server = await serve(runtime, handle);
    using idle = new RawClient(server.port, get("/idle"));
    await idle.complete();
    using busy = new RawClient(server.port, get("/busy"));
    await started;
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    await idle.closed();
    using late = new RawClient(server.port, get("/late"));
    await late.closed();
    assert.equal(late.text, "");
    assert.equal(stopped, false);
    answer.resolve(new Response("in the end"));
    await busy.complete();
    assert.equal(busy.body, "in the end");
    await stopping;
  });

  test("stop with force ends everything at once", async () => {
    const told = new Told();
    let cancels = 0;
    const server = await serve(runtime, (request, context) => {
      if (request.headers.has("upgrade")) return context.upgrade(told);
      if (context.target === "/never") return new Promise<Response>(() => {});
      const start = (sink: { write(bytes: Uint8Array): boolean; flush(): void }) => {
        sink.write(bytesOf("begun"));
        sink.flush();
      };
      return new Response(runtime.streamingBody({ start, drain() {}, cancel: () => cancels++ }));
    });
    using never = new RawClient(server.port, get("/never"));
    using stream = new RawClient(server.port, get("/stream"));
    await stream.until(() => stream.body.includes("begun"), "the stream");
    const client = new Told();
    const url = `ws://127.0.0.1:${server.port}/`;
    await runtime.dialWebSocket({ url, headers: {}, timeoutMs: 2000, maxMessageBytes: MIB }, client);
    await server.stop(true);
    await never.closed();
    await stream.closed();
    assert.ok(!stream.text.endsWith("0\r\n\r\n"));
    await until(() => client.closes.length === 1 && told.closes.length === 1 && cancels === 1, "all ends");
  });

  for (const begun of [false, true]) {
    test(`stop with force does no harm after one that waits, ${begun ? "long before" : "at once"}`, async () => {
      const { started, answer, handle } = heldAnswer();
      const server = await serve(runtime, handle);
      using idle = new RawClient(server.port, get("/idle"));
      await idle.complete();
      using busy = new RawClient(server.port, get("/busy"));
      await started;
      const stopping = server.stop();
      if (begun) await idle.closed();
      await server.stop(true);
      answer.resolve(new Response("late"));
      await busy.closed();
      await stopping;
    });
  }

  test("stop waits for open WebSockets and leaves them alone", async () => {
    const told = new Told();
    const client = new Told();
    await using server = await serve(runtime, (_, context) => context.upgrade(told));
    const url = `ws://127.0.0.1:${server.port}/`;
    const socket = await runtime.dialWebSocket(
      { url, headers: {}, timeoutMs: 2000, maxMessageBytes: MIB },
      client,
    );
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    socket.send("still here");
    await until(() => told.messages.length === 1, "the message");
    assert.deepEqual([stopped, client.closes], [false, []]);
    socket.close(1000, "");
    await stopping;
  });

  test("stop refuses connections while a WebSocket is open", async () => {
    await using server = await serve(runtime, (_, context) => context.upgrade(new Told()));
    const url = `ws://127.0.0.1:${server.port}/`;
    const socket = await runtime.dialWebSocket(
      { url, headers: {}, timeoutMs: 2000, maxMessageBytes: MIB },
      new Told(),
    );
    const stopping = server.stop();
    using late = new RawClient(server.port, get("/"));
    await late.closed();
    assert.equal(late.text, "");
    socket.close(1000, "");
    await stopping;
  });

  test("a WebSocket cannot be dialled where there is no server, and why is known", async () => {
    const dial = (url: string, timeoutMs = 2000) => {
      return failure(
        runtime.dialWebSocket({ url, headers: {}, timeoutMs, maxMessageBytes: MIB }, new Told()),
      );
    };
    const refused = await dial("ws://127.0.0.1:1/");
    assert.equal(refused.kind, "refused");
    assert.match(refused.message, /^Cannot open a WebSocket to ws:\/\/127.0.0.1:1\/: \S/);
    assert.equal((await dial(`ws://${UNKNOWN_HOST}/`)).kind, "resolve");
    using silent = new Peer();
    const port = await silent.listen();
    assert.equal((await dial(`ws://127.0.0.1:${port}/`, 100)).kind, "timeout");
    await until(() => silent.ended, "the end of the connection that was given up");
    using rude = new Peer();
    rude.server.on("connection", (socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 nonsense\r\n\r\n")),
    );
    assert.equal((await dial(`ws://127.0.0.1:${await rude.listen()}/`)).kind, "handshake");
  });

  test("no proxy of the environment is asked", async () => {
    const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NODE_USE_ENV_PROXY"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = "http://127.0.0.1:1";
    process.env.NODE_USE_ENV_PROXY = "1";
    try {
      const told = new Told();
      let askedAsAProxy: boolean | undefined;
      await using server = await serve(runtime, (request, context) => {
        askedAsAProxy = request.headers.has("proxy-connection");
        return context.upgrade(told);
      });
      const url = `ws://127.0.0.1:${server.port}/`;
      const socket = await runtime.dialWebSocket(
        { url, headers: {}, timeoutMs: 2000, maxMessageBytes: MIB },
        new Told(),
      );
      socket.send("direct");
      await until(() => told.messages.length === 1, "the message");
      assert.equal(askedAsAProxy, false);
      (await runtime.dial({ host: HOST, port: server.port, timeoutMs: 2000 }, new Heard())).close();
    } finally {
      names.forEach((name, i) => {
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
      });
    }
  });
}
