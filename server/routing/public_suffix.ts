import { getPublicSuffix } from "tldts-icann";

/**
 * How many labels at the end of a host belong to a registry, so that anybody may register the one before them: 1, 2 for
 * `co.uk`, 3 for `b.kawasaki.jp`. By the ICANN part of the Public Suffix List (https://publicsuffix.org/list/). Its other
 * part, names of hosting companies (`github.io`, `googleapis.com`), is left out: who writes a pattern knows whose domain it
 * is. `labels` from first to last, "" for one that is open: the longest that it can stand for. All of them, where they are
 * no name.
 */
export function publicSuffixLabels(labels: readonly string[]): number {
  const host = labels.map((label) => label || ANY_LABEL).join(".");
  const suffix = getPublicSuffix(host)?.split(".").length ?? labels.length;
  const isOpen = labels.at(-suffix - 2) === "";
  return isOpen && NO_SUFFIXES_ABOVE_SOME.has(labels.slice(-suffix - 1).join(".")) ? suffix + 2 : suffix;
}

/** In no suffix of the list: the rules for any label take it, and no others. */
const ANY_LABEL = "a-label-in-no-list";

/** No suffixes, though there are some with one label more. */
const NO_SUFFIXES_ABOVE_SOME: ReadonlySet<string> = new Set([
  ...["akershus.no", "buskerud.no", "hedmark.no", "hordaland.no", "more-og-romsdal.no", "nordland.no"],
  ...["ostfold.no", "telemark.no", "vestfold.no", "xn--mre-og-romsdal-qqb.no", "xn--stfold-9xa.no"],
]);
