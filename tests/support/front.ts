import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import process from "node:process";
import { read } from "../architecture/source_tree.ts";
import type { Certificate } from "./certificates.ts";
import { endWithTests } from "./children.ts";
import { ScratchFolder } from "./scratch_folder.ts";

/** Proxies that operators put in front, with the very files of `deploy/`: only addresses and certificates differ. */

export interface FrontOptions {
  relayPort: number;
  certificate: Certificate;
}

export const FRONTS = { nginx: startNginx, caddy: startCaddy };

/** A running proxy. */
export class Front implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: ScratchFolder;
  readonly #exited: Promise<unknown>;
  #said = "";

  private constructor(
    command: readonly string[],
    folder: ScratchFolder,
    readonly port: number,
  ) {
    this.#folder = folder;
    this.#child = spawn(command[0]!, command.slice(1), {
      env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: folder.path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithTests(this.#child);
    this.#exited = new Promise((resolve) => this.#child.on("close", resolve).on("error", resolve));
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (text) => {
        this.#said += text;
      });
    }
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** @throws Error with what it said when it does not listen in time */
  static async start(command: readonly string[], folder: ScratchFolder, port: number): Promise<Front> {
    const front = new Front(command, folder, port);
    for (const deadline = Date.now() + 10_000; !(await listens(port)); ) {
      if (Date.now() < deadline && front.#child.exitCode === null) continue;
      await front[Symbol.asyncDispose]();
      throw new Error(`Wanted ${command[0]} to listen, found\n${front.#said}`);
    }
    return front;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    this.#folder[Symbol.dispose]();
  }
}

async function startNginx({ relayPort, certificate }: FrontOptions): Promise<Front> {
  const folder = new ScratchFolder();
  const port = await freePort();
  const { cert, key } = write(folder, certificate);
  const site = replaced(read("deploy/nginx/signalbox.conf"), [
    ["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`],
    ["listen [::]:443 ssl;", ""],
    ["127.0.0.1:8080;", `127.0.0.1:${relayPort};`],
    ["/etc/ssl/relay.example.com/fullchain.pem", cert],
    ["/etc/ssl/relay.example.com/privkey.pem", key],
  ]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder.at(name)};`,
  );
  const config = folder.write(
    "nginx.conf",
    `daemon off;\nmaster_process off;\npid ${folder.at("pid")};\nerror_log stderr;\nevents {}\n` +
      `http {\naccess_log off;\n${temporary.join("\n")}\n${site}}\n`,
  );
  return Front.start(["nginx", "-e", "stderr", "-p", folder.path, "-c", config], folder, port);
}

async function startCaddy({ relayPort, certificate }: FrontOptions): Promise<Front> {
  const folder = new ScratchFolder();
  const port = await freePort();
  const { cert, key } = write(folder, certificate);
  const site = replaced(read("deploy/caddy/Caddyfile"), [
    ["relay.example.com {", `https://127.0.0.1:${port} {\n\ttls ${cert} ${key}\n`],
    ["reverse_proxy 127.0.0.1:8080", `reverse_proxy 127.0.0.1:${relayPort}`],
  ]);
  const options = `{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system ${folder.at("state")}\n}\n`;
  const config = folder.write("Caddyfile", options + site);
  return Front.start(["caddy", "run", "--adapter", "caddyfile", "--config", config], folder, port);
}

/** @throws Error when a text is not there to be replaced */
function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`Wanted ${from} in a file of deploy/, found\n${changed}`);
    return changed.replace(from, to);
  }, text);
}

function write(folder: ScratchFolder, { certPem, keyPem }: Certificate): { cert: string; key: string } {
  return { cert: folder.write("cert.pem", certPem), key: folder.write("key.pem", keyPem) };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    const end = (is: boolean) => {
      socket.destroy();
      setTimeout(resolve, is ? 0 : 20, is);
    };
    socket.on("connect", () => end(true)).on("error", () => end(false));
  });
}
