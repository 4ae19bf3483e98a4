import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { makeCertificates } from "../support/certificates.ts";
import { EchoBackend } from "../support/echo_backend.ts";
import { BUN, DENO } from "../support/runtimes.ts";
import { STARTER } from "./fenced_commands.ts";
import { locate, PROJECT_FILES } from "./source_tree.ts";
import { StartedLine } from "./started_line.ts";

const shell = promisify(execFile);

/** A relay prints it when clients may call; the demo when its worker has registered too. */
const LISTENING = /listening on (\S+)/;
const REGISTERED = /Registered/;

/** Models that documents name. */
const MODELS = ["llama3", "llama3.2", "whisper"];

const ADMIN_TOKEN = "the admin token of a reader";

/** A folder with the files that a document's reader has made or got by the time they are named. */
export class ReaderFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "signalbox-readme-"));

  write(name: string, text: string, mode?: number): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Somebody who follows a document from top to bottom, on one machine, in a copy of the project. */
export class Reader implements AsyncDisposable {
  readonly #folder = new ReaderFolder();
  readonly #started: StartedLine[] = [];
  readonly #env: Record<string, string>;
  #relayUrl = "";

  private constructor(readonly backend: EchoBackend) {
    const { path } = this.#folder;
    copyProject(path);
    const { authorityPem, good } = makeCertificates();
    const authority = this.#folder.write("authority.pem", authorityPem);
    this.#folder.write("fullchain.pem", good.certPem);
    this.#folder.write("privkey.pem", good.keyPem);
    this.#folder.write("memo.wav", "sound");
    this.#folder.write("secret.txt", "a secret of a reader\n");
    this.#folder.write("signing-secret.txt", "a secret of at least 32 characters\n");
    this.#folder.write("admin-token.txt", `${ADMIN_TOKEN}\n`);
    this.#folder.write("request.json", '{"model":"llama3","messages":[]}');
    this.#folder.write("bin/signalbox", `#!/bin/sh\nexec ${BUN} ${path}/main.ts "$@"\n`, 0o755);
    this.#env = {
      PATH: [join(path, "local/bin"), join(path, "bin"), process.env.PATH].join(":"),
      HOME: path,
      TMPDIR: tmpdir(),
      NO_COLOR: "1",
      // Nobody looks for newer versions.
      DENO_NO_UPDATE_CHECK: "1",
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
      CURL_CA_BUNDLE: authority,
      no_proxy: "*",
      SIGNALBOX_CA_FILE: authority,
      SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN,
      // Where a document leaves the port to its default, which somebody else may have here.
      SIGNALBOX_LISTEN: "127.0.0.1:0",
    };
  }

  static async open(): Promise<Reader> {
    const backend = await EchoBackend.start();
    const list = JSON.stringify({ object: "list", data: MODELS.map((id) => ({ id, object: "model" })) });
    backend.on("/v1/models", (_, response) => void response.end(list));
    return new Reader(backend);
  }

  write(name: string, text: string): void {
    this.#folder.write(name, this.#here(text));
  }

  remove(name: string): void {
    rmSync(join(this.#folder.path, name));
  }

  /** Where the shells' variables lead that a document names: in this folder. */
  folderOf(variable: string, path: string): void {
    this.#env[variable] = join(this.#folder.path, path);
  }

  /** What runs already when a document is opened that does not start it: a relay and a worker. */
  async hasRelay(): Promise<void> {
    await this.type("signalbox serve");
    await this.type("signalbox worker --provider home --backend-url http://127.0.0.1:11434");
  }

  /** Type a command. Gives what it printed, when it ends by itself. */
  async type(text: string): Promise<string> {
    const line = this.#here(text);
    if (text.startsWith("export ")) return this.#export(line);
    const ready = readyOf(text);
    if (ready) return this.#start(line, ready);
    const { stdout, stderr } = await this.#run(line);
    const key = /^key: (\S+)$/m.exec(stderr)?.[1];
    if (key) this.#env.SIGNALBOX_KEY ??= key;
    return stdout;
  }

  #run(line: string) {
    return shell(/completions zsh/.test(line) ? "zsh" : "sh", ["-c", line], this.#options());
  }

  /** A worker that is told nothing else looks for its relay at a port that somebody else may have here. */
  #options() {
    const known = this.#relayUrl && !this.#env.PROXY_URL;
    const env = { ...this.#env, ...(known && { SIGNALBOX_PROXY_URL: this.#relayUrl }) };
    return { cwd: this.#folder.path, env };
  }

  /** What is exported is there for the commands behind it. */
  async #export(line: string): Promise<string> {
    for (const [, name] of line.matchAll(/ (\w+)=/g))
      this.#env[name!] = (await this.#run(`${line} && printf %s "$${name}"`)).stdout;
    return "";
  }

  async #start(line: string, ready: RegExp): Promise<string> {
    const started = new StartedLine(line, this.#options());
    this.#started.push(started);
    const [, url] = await started.says(ready);
    // A demo is beside the relay that a document is about.
    if (url && (this.#relayUrl === "" || / serve\b/.test(line))) this.#relayUrl = url;
    return started.printed;
  }

  /** A document's addresses and folders in words that mean something on this machine. */
  #here(text: string): string {
    return text
      .replace(/^npx bun /, `${BUN} `)
      .replace(/^npx deno /, `${DENO} `)
      .replace(/^sudo (.* )\/usr\/local\/bin\//, `$1${this.#folder.path}/local/bin/`)
      .replace(/((?:--backend-url|backend_url =|BACKEND_URL=) ?"?)http:[^\s"]+/, `$1${this.backend.url}`)
      .replace(/0\.0\.0\.0:\d+|(?<=--listen )127\.0\.0\.1:\d+/, "127.0.0.1:0")
      .replace("DNS:relay.example.com", "IP:127.0.0.1")
      .replace("https://relay-1.example.com,https://relay-2.example.com", this.#relayUrl)
      .replace(/https:\/\/relay\.example\.com|http:\/\/127\.0\.0\.1:8080/, this.#relayUrl);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started) await started.kill();
    await this.backend[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** What a command says that goes on, when it has got so far. */
function readyOf(text: string): RegExp | undefined {
  if (/ --(?:help|print-settings)\b/.test(text)) return undefined;
  if (text === "npm start") return LISTENING;
  const [, command] =
    /^(serve|worker|demo)\b/.exec(STARTER.test(text) ? text.replace(STARTER, "") : "") ?? [];
  if (!command) return undefined;
  return command === "worker" ? REGISTERED : LISTENING;
}

/** The project's files, and what is installed for them, as after `npm run setup`. */
function copyProject(to: string): void {
  for (const path of PROJECT_FILES) cpSync(locate(path), join(to, path));
  // A folder of its own: who installs there changes nothing here. Newer than the lockfile, so nothing is to install.
  const installed = join(to, "node_modules");
  mkdirSync(installed);
  for (const name of readdirSync(locate("node_modules")))
    symlinkSync(locate(join("node_modules", name)), join(installed, name));
  utimesSync(join(to, "package-lock.json"), 0, 0);
  for (const folder of ["local/bin", ".config/fish/completions"])
    mkdirSync(join(to, folder), { recursive: true });
}
