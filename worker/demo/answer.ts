/** The only model of the demo backends. */
export const DEMO_MODEL = "demo";

/** Longer questions are cut: the answer is to be read. */
const LONGEST_QUOTE = 80;

/** The answer to a text, word by word; joined, they are the answer. `servedBy`: in front of which backend. */
export function answerTo(text: string, servedBy: string): string[] {
  const quote = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return (
    "This is a demo backend of Signalbox, no language model: it says the same to everyone. " +
    `Your words ${JSON.stringify(quote)} came through the relay to ${servedBy}, ` +
    "and this answer goes back the same way, word by word."
  ).match(/\S+\s*/g)!;
}
