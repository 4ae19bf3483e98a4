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

/** A folder with the files that README's reader has made or got by the time they are named. */
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

/** Somebody who follows README from top to bottom, on one machine. */
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
    this.#env = { SIGNALBOX_CA_FILE: authority, CURL_CA_BUNDLE: authority, no_proxy: "*" };
  }

  /** Type a command. Gives what it printed, when it ends by itself. */
  async type({ text, args }: DocumentedCommand): Promise<string> {
    if (text === "npm start") return this.#start(["demo", "--listen", "127.0.0.1:0"], LISTENING);
    if (args?.[0] === "serve") return this.#start(this.#here(args), LISTENING);
    if (args?.[0] === "worker") return this.#start(this.#here(args), /Registered/);
    const [line] = this.#here([text.replace(STARTER, `${BUN} ${locate("main.ts")} `)]);
    const options = { cwd: this.#folder.path, env: { PATH: process.env.PATH, ...this.#env } };
    const { stdout, stderr } = await shell("sh", ["-c", line!], options);
    const key = /^key: (\S+)$/m.exec(stderr)?.[1];
    if (key) this.#env.SIGNALBOX_KEY = key;
    return stdout;
  }

  async #start(args: readonly string[], ready: RegExp): Promise<string> {
    const started = new Program([...args], { cwd: this.#folder.path, env: this.#env });
    this.#programs.push(started);
    await started.says(ready);
    this.#relayUrl = LISTENING.exec(started.stdout)?.[1] ?? this.#relayUrl;
    return started.stdout;
  }

  /** README's addresses and model in words that mean something on this machine. */
  #here(words: readonly string[]): string[] {
    return words.map((word, at) => {
      if (words[at - 1] === "--backend-url") return this.backendUrl;
      return word
        .replace("0.0.0.0:443", "127.0.0.1:0")
        .replace(/https:\/\/relay\.example\.com|http:\/\/127\.0\.0\.1:8080/, this.#relayUrl)
        .replace("llama3.2", "demo");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#programs) await started.kill();
    this.#folder[Symbol.dispose]();
  }
}
