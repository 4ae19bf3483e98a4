/** Where model servers listen when nobody tells them otherwise: looked at on this machine, in this order. */
export interface UsualPort {
  readonly port: number;
  /** Whose default it is. Others may be found there: what answers is asked what it is. */
  readonly server: string;
}

export const USUAL_PORTS: readonly UsualPort[] = [
  // Of OLLAMA_HOST: https://docs.ollama.com/faq
  { port: 11434, server: "Ollama" },
  // `llama-server --port`: https://github.com/ggml-org/llama.cpp/tree/master/tools/server. Our relay's own, too.
  { port: 8080, server: "llama.cpp" },
  // `vllm serve --port`: https://docs.vllm.ai/en/latest/cli/serve. Also --backend-url's default in ModelRelay.
  { port: 8000, server: "vLLM" },
  // Local server: https://lmstudio.ai/docs/developer/openai-compat
  { port: 1234, server: "LM Studio" },
];
