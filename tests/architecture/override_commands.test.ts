import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "smol-toml";
import { noCurl } from "../support/curl.ts";
import { DnsServer } from "../support/dns_server.ts";
import { Program } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { BUN } from "../support/runtimes.ts";
import { STARTER } from "./fenced_commands.ts";
import { ReaderFolder } from "./reader.ts";
import { locate, read } from "./source_tree.ts";

/** What docs/override.md says to write and to type, written and typed in its order on one machine. */

const PAGE = "docs/override.md";

type Step = { file: string; text: string } | { command: string };

/** Files with their name in the first line, and commands, in the page's order. */
function stepsIn(page: string): Step[] {
  return [...page.matchAll(/^```(toml|sh run)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, kind, block = ""]): Step[] => {
      const file = /^# (\S+\.toml)\n/.exec(block)?.[1];
      if (file !== undefined) return [{ file, text: block }];
      if (kind === "toml") return [];
      const lines = block
        .replaceAll(/\\\n\s*/g, "")
        .split("\n")
        .filter(Boolean);
      return lines.map((command) => ({ command }));
    },
  );
}

const steps = stepsIn(read(PAGE));

test("every command of the page is one that is typed here, and every table can be read", () => {
  const blocks = [...read(PAGE).matchAll(/^```(\w+)( run)?$/gm)].map(([, kind, run = ""]) => `${kind}${run}`);
  assert.ok(!blocks.includes("sh"));
  assert.ok(steps.filter((step) => "command" in step).length > 15);
  const tables = [...read(PAGE).matchAll(/^```toml\n([\s\S]*?)^```$/gm)];
  assert.ok(tables.length > 8);
  for (const [, table] of tables) parse(table!);
});

/** Providers' names lead to this one, without TLS, and so does its port. */
class Follower implements AsyncDisposable {
  readonly #folder = new ReaderFolder();
  readonly #env: Record<string, string> = { CUSTOMER_TOKEN: "Bearer customer", ACCESS_TOKEN: "ya29.token" };
  #relay: Program | undefined;
  /** What takes the place of an address of the page. */
  readonly #places = new Map<string, string>();

  constructor(
    readonly provider: RawBackend,
    readonly dns: DnsServer,
  ) {}

  write(name: string, text: string): void {
    const own = this.#here(text)
      .replace(/"127\.0\.0\.1:(?:8080|9443)"/g, '"127.0.0.1:0"')
      .replace('"10.0.0.53:53"', `"127.0.0.1:${this.dns.port}"`);
    const resolved = own.includes("resolver =")
      ? own
      : own
          .replace("[override]\n", `[override]\nresolver = "127.0.0.1:${this.dns.port}"\n`)
          .replaceAll(/^\[\[override\.endpoint\]\]$/gm, '$&\nallow_private = ["127.0.0.0/8"]');
    this.#folder.write(name, resolved);
  }

  async type(command: string): Promise<string> {
    const line = this.#here(command);
    if (/main\.ts serve /.test(line)) return this.#serve(line.replace(STARTER, "").split(" "));
    const words = line.replace(STARTER, `${BUN} ${locate("main.ts")} `);
    const options = { cwd: this.#folder.path, env: { PATH: process.env.PATH, no_proxy: "*", ...this.#env } };
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", words], options);
    const [, key] = /^key: (\S+)$/m.exec(stderr) ?? [];
    const [, name] = /--name (\w+)/.exec(line) ?? [];
    if (key && name) this.#env[`${name.toUpperCase()}_KEY`] = key;
    return stdout;
  }

  async #serve(args: string[]): Promise<string> {
    await this.#relay?.kill();
    this.#relay = new Program(args, { cwd: this.#folder.path });
    const [, url = ""] = await this.#relay.says(/listening on (\S+)/);
    this.#places.set("http://127.0.0.1:8080", url);
    const config = args.at(-1) ?? "";
    if (["listener.toml", "socket.toml"].includes(config)) {
      const [, address = ""] = await this.#relay.says(/Listening for overrides address=(\S+)/);
      this.#places.set("http://127.0.0.1:9443", `http://${address}`);
    }
    return "";
  }

  #here(text: string): string {
    const hosts = /https:\/\/([\w{}*.-]+\.(?:oraclecloud|googleapis)\.com)\//g;
    const moved = text.replaceAll(hosts, `http://$1:${this.provider.port}/`);
    return [...this.#places].reduce((now, [page, here]) => now.replaceAll(page, here), moved);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay?.kill();
    this.#folder[Symbol.dispose]();
  }
}

/** What each kind of command prints when it does what the page says. */
const PRINTS: readonly (readonly [command: RegExp, printed: RegExp])[] = [
  [/^curl /, /^provider$/],
  [/override check /, /^(?:taken by acme|taken by pool)$/m],
  [/route-test POST /, /^dispatch: to acme, and nowhere else$/m],
  [/route-test --scenario /, /^1 passed$/m],
  [/override sign |serve |keys hash |^openssl |^echo |^mv /, /^$/],
];

test("who follows the page reaches the provider", { timeout: 120_000, skip: noCurl() }, async () => {
  await using provider = await RawBackend.start((request) => request.reply(200, "provider"));
  await using dns = await DnsServer.start((name) => [
    name.endsWith(".pool.corp.example") ? "10.20.1.1" : "127.0.0.1",
  ]);
  await using follower = new Follower(provider, dns);
  for (const step of steps) {
    if ("file" in step) {
      follower.write(step.file, step.text);
      continue;
    }
    const printed = await follower.type(step.command);
    const wanted = PRINTS.find(([command]) => command.test(step.command));
    assert.ok(wanted, `nobody knows what this prints: ${step.command}`);
    assert.match(printed, wanted[1], step.command);
  }
  const heads = provider.requests.map(({ head }) => head);
  assert.equal(
    heads.length,
    steps.filter((step) => "command" in step && step.command.startsWith("curl")).length,
  );
  const authorizations = heads.map((head) => /^authorization: (.*)$/im.exec(head)?.[1]).filter(Boolean);
  assert.deepEqual(authorizations, ["Bearer customer", "Bearer ya29.token"]);
});
