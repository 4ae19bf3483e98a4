import process from "node:process";

/**
 * The form of the links of a run: what `SIGNALBOX_TEST_FORM` names, framed without it. Every worker that a test
 * starts follows it, unless the test says which form it means.
 */

export const FORMS = ["framed", "plain"] as const;
export type LinkForm = (typeof FORMS)[number];

export const LINK_FORM = formNamed(process.env.SIGNALBOX_TEST_FORM ?? "framed");

/** Of `signalbox worker`, for a test that is about one form. */
export function formFlag(form: LinkForm): string {
  return `--link-form=${form === "framed" ? "auto" : "plain"}`;
}

/** What a plain link cannot do, by its heading in docs/modelrelay.md, which has the reasons. */
export const PLAIN_LIMITS = {
  text: "Text only",
  wholeRequests: "A request goes when it is whole",
  eventStreams: "Only event streams flow",
  noCredit: "No flow control",
  oneValue: "One value for each name of a header field",
  failureIsAnswer: "A worker's failure is its answer",
} as const;

/** For the `skip` of a test about something that a plain link cannot do: which, where the links of the run are plain. */
export function cannotOverPlain(limit: keyof typeof PLAIN_LIMITS): string | undefined {
  return LINK_FORM === "plain" ? `a plain link: ${PLAIN_LIMITS[limit]}` : undefined;
}

function formNamed(name: string): LinkForm {
  const form = FORMS.find((known) => known === name);
  if (form) return form;
  throw new Error(`Cannot write links in the form ${name}: wanted ${FORMS.join(", ")}`);
}
