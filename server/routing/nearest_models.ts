/** Comparing costs time for each: a fleet that serves more than this many models shows the nearest of these. */
const COMPARED_MAX = 1_000;
/** Below this share of common letter pairs a name is another name, not a slip of the finger. */
const ALIKE_MIN = 0.4;

/**
 * The served models whose names are most like the one that was asked for, best first: by the share of letter
 * pairs that they have in common (Dice's coefficient), case and punctuation aside.
 */
export function nearestModels(asked: string, served: Iterable<string>, limit = 3): string[] {
  const wanted = pairsOf(asked);
  const alike: { model: string; share: number }[] = [];
  let compared = 0;
  for (const model of served) {
    if (model === "*") continue;
    if (++compared > COMPARED_MAX) break;
    const share = commonShare(wanted, pairsOf(model));
    if (share >= ALIKE_MIN) alike.push({ model, share });
  }
  alike.sort((a, b) => b.share - a.share);
  return alike.slice(0, limit).map(({ model }) => model);
}

/** Names are cut at 64 characters: the price of a wrong name must not be set by who sends it. */
function pairsOf(name: string): Set<string> {
  const letters = name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < letters.length; at++) pairs.add(letters.slice(at, at + 2));
  return pairs;
}

function commonShare(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const pair of a) if (b.has(pair)) common++;
  return a.size + b.size === 0 ? 0 : (2 * common) / (a.size + b.size);
}
