import type { Decision } from "../routing/types.ts";

/** `X-Signalbox-Route`: a decision as JSON in ASCII, for who may see it. */
export function routeHeader(decision: Decision): string {
  const { type, funnel } = decision;
  const text = JSON.stringify({
    decision: type,
    ...(decision.type === "refuse"
      ? { code: decision.code, failed_rule: decision.failedRule }
      : {
          candidates: decision.candidates.map(({ worker, model, behindBy }) => ({
            worker: worker.name,
            provider: worker.provider,
            model,
            behind_by: behindBy,
          })),
        }),
    funnel: Object.fromEntries(funnel.map(({ rule, left }) => [rule, left])),
  });
  return text.replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
