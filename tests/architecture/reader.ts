import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { makeCertificates } from "../support/certificates.ts";
import { Program } from "../support/program.ts";
import { BUN } from "../support/runtimes.ts";
import { type DocumentedCommand, STARTER } from "./fenced_commands.ts";
import { locate } from "./source_tree.ts";

const shell = promisify(execFile);

/** A relay prints it when clients may call; the demo when its worker has registered too. */
const LISTENING = /listening on (\S+)/;

/** A folder with the files that a document's reader has made or got by the time they are named. */
export class ReaderFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "signalbox-readme-"));

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Somebody who follows a document from top to bottom, on one machine. */
export class Reader implements AsyncDisposable {
  readonly #folder = new ReaderFolder();
  readonly #programs: Program[] = [];
  readonly #env: Record<string, string>;
  #relayUrl = "";

  constructor(private readonly backendUrl: string) {
    const { authorityPem, good } = makeCertificates();
    const authority = this.#folder.write("authority.pem", authorityPem);
    this.#folder.write("fullchain.pem", good.certPem);
    this.#folder.write("privkey.pem", good.keyPem);
    this.#folder.write("fleet.toml", '[[worker]]\nname = "attic"\nmodels = ["llama3"]\n');
    this.#folder.write("request.json", '{"model":"demo"}');
    this.#env = {
      HOME: this.#folder.path,
      CURL_CA_BUNDLE: authority,
      no_proxy: "*",
      SIGNALBOX_CA_FILE: authority,
      SIGNALBOX_ADMIN_TOKEN: "the admin token of a test",
      // Where a document leaves the port to its default, which somebody else may have here.
      SIGNALBOX_LISTEN: "127.0.0.1:0",
    };
  }

  /** What runs already when a document is opened that does not start it: a relay and a worker. */
  async hasRelay(): Promise<void> {
    await this.#start(["serve"], LISTENING);
    this.#env.SIGNALBOX_PROXY_URL = this.#relayUrl;
    await this.#start(["worker", "--backend-url", this.backendUrl], /Registered/);
  }

  /** Type a command. Gives what it printed, when it ends by itself. */
  async type({ text, args }: DocumentedCommand): Promise<string> {
    const line = this.#here(text);
    if (text === "npm start") return this.#start(["demo", "--listen", "127.0.0.1:0"], LISTENING);
    if (text.startsWith("export ")) return this.#export(line);
    const words = args && this.#here(args.join(" ")).split(" ");
    if (!text.includes("--help") && !text.includes("--print-settings")) {
      if (words?.[0] === "serve") return this.#start(words, LISTENING);
      if (words?.[0] === "worker") return this.#start(words, /Registered/);
    }
    const { stdout, stderr } = await this.#sh(line.replace(STARTER, `${BUN} ${locate("main.ts")} `));
    const key = /^key: (\S+)$/m.exec(stderr)?.[1];
    if (key) this.#env.SIGNALBOX_KEY ??= key;
    return stdout;
  }

  #sh(line: string) {
    const options = { cwd: this.#folder.path, env: { PATH: process.env.PATH, ...this.#env } };
    return shell("sh", ["-c", line], options);
  }

  /** What is exported is there for the commands behind it. */
  async #export(line: string): Promise<string> {
    for (const [, name] of line.matchAll(/ (\w+)=/g))
      this.#env[name!] = (await this.#sh(`${line} && printf %s "$${name}"`)).stdout;
    return "";
  }

  async #start(args: readonly string[], ready: RegExp): Promise<string> {
    const started = new Program([...args], { cwd: this.#folder.path, env: this.#env });
    this.#programs.push(started);
    await started.says(ready);
    this.#relayUrl = LISTENING.exec(started.stdout)?.[1] ?? this.#relayUrl;
    return started.stdout;
  }

  /** A document's addresses, model and folders in words that mean something on this machine. */
  #here(text: string): string {
    return text
      .replace(/(--backend-url |BACKEND_URL=)\S+/, `$1${this.backendUrl}`)
      .replace(/0\.0\.0\.0:\d+|(?<=--listen )127\.0\.0\.1:\d+/, "127.0.0.1:0")
      .replace("DNS:relay.example.com", "IP:127.0.0.1")
      .replace("https://relay-1.example.com,https://relay-2.example.com", this.#relayUrl)
      .replace(/https:\/\/relay\.example\.com|http:\/\/127\.0\.0\.1:8080/, this.#relayUrl)
      .replace("llama3.2", "demo")
      .replace("tests/routing/scenarios", locate("tests/routing/scenarios"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#programs) await started.kill();
    this.#folder[Symbol.dispose]();
  }
}
