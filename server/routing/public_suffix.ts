import { getPublicSuffix } from "tldts-icann";

/**
 * How many labels at the end of a host belong to a registry, so that anybody may register the one before them: 1, 2 for
 * `co.uk`, 3 for `b.kawasaki.jp`. By the ICANN part of the Public Suffix List (https://publicsuffix.org/list/). Its other
 * part, names of hosting companies (`github.io`, `googleapis.com`), is left out: who writes a pattern knows whose domain it
 * is. `labels` from first to last, "" for one that is open. All of them, where they are no name.
 */
export function publicSuffixLabels(labels: readonly string[]): number {
  const host = labels.map((label) => label || ANY_LABEL).join(".");
  return getPublicSuffix(host)?.split(".").length ?? labels.length;
}

/** In no suffix of the list: the rules for any label take it, and no others. */
const ANY_LABEL = "x";
