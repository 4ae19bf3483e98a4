import { resolve } from "node:path";
import process from "node:process";
import { runtime } from "../../shared/runtime/current.ts";
import { thisProgram } from "../../shared/service/this_program.ts";
import { DEMO_MODEL } from "./answer.ts";

/** The relay of a demo, and what of it somebody needs who types. */
export interface DemoRelay {
  url: string;
  adminToken: string;
  /** A provider that one of its workers serves under. */
  provider: string;
}

interface NextCommand {
  /** What it is for. */
  says: string;
  command: string;
}

const messages = [{ role: "user", content: "Hello" }];

/** What to try when the demo runs, for a shell. */
export function nextCommands({ url, adminToken, provider }: DemoRelay): NextCommand[] {
  const sdk =
    'import OpenAI from "openai"; ' +
    `const client = new OpenAI({ baseURL: "${url}/v1", apiKey: "any" }); ` +
    `const answer = await client.responses.create({ model: "${DEMO_MODEL}", input: "Hello" }); ` +
    "console.log(answer.output_text);";
  const chat = { model: DEMO_MODEL, messages };
  return [
    {
      says: `A request may say who is to answer it: the provider ${provider}, in OpenRouter's words.`,
      command: curlLine(`${url}/v1/chat/completions`, { ...chat, provider: { only: [provider] } }),
    },
    {
      says: "Where such a request would go, and why.",
      command:
        `SIGNALBOX_ADMIN_TOKEN=${adminToken} ${typedProgram()} route-test POST /v1/chat/completions ` +
        `--model ${DEMO_MODEL} --provider ${provider} --server ${url}`,
    },
    {
      says: "Anthropic's API.",
      command: curlLine(`${url}/v1/messages`, { ...chat, max_tokens: 100, stream: true }),
    },
    { says: "Ollama's API.", command: curlLine(`${url}/api/chat`, chat) },
    ...(isInFolder() ? [{ says: "OpenAI's SDK.", command: `npx bun -e '${sdk}'` }] : []),
    {
      says: "A model of your own: Ollama, llama.cpp, vLLM or LM Studio on this machine is found by itself.",
      command: `${typedProgram()} worker --proxy-url ${url} --provider mine --endpoint-prefixes /v1`,
    },
  ];
}

/** A request with a JSON body as somebody would type it; an answer that streams is shown as it comes. */
export function curlLine(url: string, body: object): string {
  return `curl -N ${url} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}

/** Whether the program runs from source, in the folder of it. */
function isInFolder(): boolean {
  return resolve(process.argv[1] ?? "") === resolve("main.ts");
}

/** How somebody in this folder starts this program. */
function typedProgram(): string {
  if (!isInFolder()) return thisProgram().join(" ");
  return runtime.name === "deno" ? "npx deno run -A main.ts" : "npx bun main.ts";
}
