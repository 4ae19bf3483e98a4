import { quote } from "../printable.ts";
import { type Kind, kindOf, Misread } from "./field.ts";

/** HTTP statuses out of a few: a comma list, from which repetitions are dropped. */
export function statuses(allowed: readonly number[]): Kind<number[]> {
  const list = allowed.join(", ");
  return kindOf<number[]>({
    placeholder: "STATUSES",
    hint: `write some of ${list}`,
    several: "comma",
    read(raw) {
      const items = typeof raw === "string" ? raw.split(",").map((item) => item.trim()) : [raw].flat();
      return [...new Set(items.filter((item) => item !== "").map((item) => status(item, allowed)))];
    },
    print: (value) => value,
  });
}

/** TOML gives numbers, everything else texts. */
function status(item: unknown, allowed: readonly number[]): number {
  const isScalar = typeof item === "string" || typeof item === "number";
  const value = isScalar ? allowed.find((one) => String(one) === String(item)) : undefined;
  if (value === undefined) throw new Misread(`is not one of ${allowed.join(", ")}`, quote(item));
  return value;
}
