import { LABELS_MAX_UNITS, type Labels } from "../labels.ts";
import { readLabels } from "../read_labels.ts";
import { type Kind, kindOf, Misread } from "./field.ts";
import { listOf } from "./texts.ts";

/** What a worker declares: a table in a file, JSON elsewhere. The first thing that is wrong in it is an error. */
export const labelsTable: Kind<Labels> = kindOf({
  placeholder: "JSON",
  hint: 'write a [labels] table in the file, or JSON: {"zdr":true,"price":{"prompt":0.1}}',
  read(raw) {
    const { labels, wrong } = readLabels(typeof raw === "string" ? parseJson(raw) : raw);
    if (wrong[0]) throw new Misread(wrong[0].problem, wrong[0].name);
    const { length } = JSON.stringify(labels);
    if (length <= LABELS_MAX_UNITS) return labels;
    throw new Misread(`must have at most ${LABELS_MAX_UNITS} characters as JSON: found ${length}`, "labels");
  },
  print: (labels) => labels,
});

/** Members of a request body. */
export const parameters: Kind<string[]> = listOf({
  placeholder: "NAMES",
  hint: "write tools,temperature,response_format",
  least: 1,
  read: (text) => text,
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misread("is not JSON");
  }
}
