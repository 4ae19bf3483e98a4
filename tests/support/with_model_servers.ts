/**
 * Runs a command beside servers of models: `bun with_model_servers.ts OLLAMA:11434 VLLM:8000 -- COMMAND ARG…`. Passes
 * SIGTERM on, and ends as the command does. For a network of its own, where a test cannot listen.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { LLAMA_CPP, LM_STUDIO, ModelServer, OLLAMA, RELAY, VLLM } from "./model_servers.ts";

const KINDS = { LLAMA_CPP, LM_STUDIO, OLLAMA, RELAY, VLLM };

const words = process.argv.slice(2);
const end = words.indexOf("--");
for (const word of words.slice(0, end)) {
  const [kind, port] = word.split(":");
  await ModelServer.start(KINDS[kind as keyof typeof KINDS], Number(port));
}
const child = spawn(words[end + 1]!, words.slice(end + 2), { stdio: "inherit" });
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("close", (code) => process.exit(code ?? 1));
