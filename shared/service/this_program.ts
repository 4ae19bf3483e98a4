import { resolve } from "node:path";
import process from "node:process";
import { runtime } from "../runtime/current.ts";

/** How this program is started again: the executable, or a runtime with `main.ts`. Absolute paths. */
export function thisProgram(): string[] {
  const [, script = ""] = process.argv;
  if (!script.endsWith("main.ts")) return [process.execPath];
  const words = runtime.name === "deno" ? ["run", "-A", "--no-check"] : [];
  return [process.execPath, ...words, resolve(script)];
}
