import { execFileSync } from "node:child_process";
import { BUN } from "./runtimes.ts";

const PARSE = "process.stdout.write(JSON.stringify(Bun.YAML.parse(await Bun.stdin.text())))";

/** A YAML text as what it means; several documents as a list. Bun has a parser, and is where the tests are. */
export function parseYaml(text: string): unknown {
  return JSON.parse(execFileSync(BUN, ["-e", PARSE], { input: text, encoding: "utf8" }));
}
