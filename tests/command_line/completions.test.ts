import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { program } from "../../main.ts";
import { runProgram } from "../../shared/command_line/run.ts";
import { lacks } from "../support/tools.ts";

/** What shells make of `signalbox completions`: each is asked itself, where it is installed. */

const folder = mkdtempSync(join(tmpdir(), "signalbox-completions-"));
after(() => rmSync(folder, { recursive: true }));

/** What is typed up to the Tab, and what is offered: all of it, or some. */
const TYPED: readonly { typed: string; only?: string[]; some?: string[]; never?: string[] }[] = [
  { typed: "", some: ["serve", "worker", "doctor", "keys"], never: ["--listen"] },
  { typed: "wor", only: ["worker"] },
  { typed: "keys ", only: ["hash"] },
  { typed: "config ch", only: ["check"] },
  { typed: "config check ", only: ["serve", "worker"] },
  { typed: "config check serve --queue-t", only: ["--queue-timeout"] },
  { typed: "serve --tls", only: ["--tls-cert", "--tls-key"] },
  { typed: "serve --worker-sec", only: ["--worker-secret-file"] },
  { typed: "worker --", some: ["--backend-url", "--config"], never: ["--listen"] },
  { typed: "serve --log-level ", only: ["trace", "debug", "info", "warn", "error", "off"] },
  { typed: "serve --log-level d", only: ["debug"] },
  { typed: "serve --listen ", only: [] },
  { typed: "route-test POST /v1 --expect-p", only: ["--expect-provider"] },
  { typed: `serve --tls-cert ${folder}/only`, only: [`${folder}/only-file.pem`] },
  { typed: "completions f", only: ["fish"] },
  { typed: "docs ", some: ["readme", "settings", "license"], never: ["--config"] },
  { typed: "docs route", only: ["route-test"] },
  { typed: "docs settings --print", only: ["--print-settings"] },
];

function check(offered: (typed: string) => string[]): void {
  for (const { typed, only, some = [], never = [] } of TYPED) {
    const found = offered(typed);
    if (only) assert.deepEqual([...found].sort(), [...only].sort(), typed);
    for (const word of some) assert.ok(found.includes(word), `${typed}: ${word} is missing in ${found}`);
    for (const word of never) assert.ok(!found.includes(word), `${typed}: ${word}`);
  }
}

async function script(shell: string): Promise<string> {
  let text = "";
  const out = (piece: string) => {
    text += piece;
  };
  const io = { out, err() {}, stdin: async () => "", env: {} };
  assert.equal(await runProgram(program, ["completions", shell], io), 0);
  const path = join(folder, `completions.${shell}`);
  writeFileSync(path, text);
  return path;
}

function lines(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

before(() => writeFileSync(join(folder, "only-file.pem"), ""));

describe("bash", { skip: lacks("bash") }, () => {
  test("offers the words and flags of each place", async () => {
    const path = await script("bash");
    check((typed) => {
      const code = `source ${path}; COMP_WORDS=(signalbox "$@"); COMP_CWORD=$#; _signalbox; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return lines(execFileSync("bash", ["-c", code, "bash", ...typed.split(" ")], { encoding: "utf8" }));
    });
  });

  test("reads --flag=value as the three words that bash makes of it", async () => {
    const path = await script("bash");
    const code = `source ${path}; COMP_WORDS=(signalbox serve --log-format = j); COMP_CWORD=4; _signalbox; echo "\${COMPREPLY[@]}"`;
    assert.equal(execFileSync("bash", ["-c", code], { encoding: "utf8" }), "json\n");
  });
});

describe("fish", { skip: lacks("fish") }, () => {
  test("offers the words and flags of each place", async () => {
    const path = await script("fish");
    check((typed) => {
      const code = `source ${path}; complete -C ${JSON.stringify(`signalbox ${typed}`)}`;
      const env = { ...process.env, HOME: folder };
      return lines(execFileSync("fish", ["-c", code], { encoding: "utf8", env })).map(
        (line) => line.split("\t")[0]!,
      );
    });
  });
});

/** Types lines into a zsh at a terminal of its own, each with a Tab, and prints what came to stand there. */
const TYPIST = `
zmodload zsh/zpty
zpty typed zsh -f -i
zpty -w typed 'autoload -U compinit; compinit -D -u; source '$1'; signalbox() { print -r -- "GOT:$*:END" }; print READ""Y'
zpty -r -m typed text '*READY*'
while IFS= read -r line; do
  zpty -w typed "signalbox $line"$'\\t'
  zpty -r -m typed text '*GOT:*:END*'
  print -r -- \${\${text##*GOT:}%%:END*}
done
zpty -d typed
`;

describe("zsh", { skip: lacks("zsh") }, () => {
  test("completes what is typed when one thing can follow", async () => {
    const path = await script("zsh");
    const completed = TYPED.flatMap(({ typed, only }) =>
      only?.length === 1 ? [[typed, only[0]!] as const] : [],
    );
    assert.ok(completed.length > 5);
    const found = execFileSync("zsh", ["-f", "-c", TYPIST, "zsh", path], {
      input: completed.map(([typed]) => `${typed}\n`).join(""),
      encoding: "utf8",
      timeout: 30_000,
    });
    assert.deepEqual(
      lines(found).map((line) => line.trim().replace(/=$/, "")),
      completed.map(([typed, word]) => typed.replace(/\S*$/, word)),
    );
  });
});

test("powershell gets every place, with texts in single quotes", async () => {
  const path = await script("powershell");
  const text = execFileSync("cat", [path], { encoding: "utf8" });
  assert.match(text, /Path = 'config check serve'/);
  assert.match(text, /,@\('tls', 'Putting TLS on it'\)/);
  assert.match(text, /'--log-level' = @\('trace', 'debug'/);
  const outside = text.replace(/'(?:[^']|'')*'/g, "");
  for (const [open, close] of ["()", "{}"]) {
    assert.equal(outside.split(open!).length, outside.split(close!).length, `${open}${close}`);
  }
});
