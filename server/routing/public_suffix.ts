/**
 * How many labels at the end of a host belong to a registry, so that anybody may register the one before them.
 *
 * A rule instead of the Public Suffix List, which changes weekly: under a country's domain the usual second-level
 * names are the registry's. Not known are those of places (`kawasaki.jp`, `oslo.no`) and of hosting companies
 * (`github.io`): who writes a pattern knows whose domain it is.
 */
const SECOND_LEVEL = new Set(
  (
    "ac adm adv art arts asn asso biz co com coop csiro ed edu ernet firm gen go gob gok gouv gov govt gub id ind " +
    "inf info int k12 lg ltd me med mi mil mob mobi museum name ne net nhs nic nom nome or org oz plc police press " +
    "pri priv pro rec res sch school store tm tv web"
  ).split(" "),
);

/** `labels` from first to last. 1, or 2 for `co.uk` and the like. */
export function publicSuffixLabels(labels: readonly string[]): 1 | 2 {
  const [second = "", last = ""] = labels.slice(-2);
  return last.length === 2 && SECOND_LEVEL.has(second) ? 2 : 1;
}
