import { z } from "zod";
import { type Kind, kindOf, Misread } from "./field.ts";

/** A secret that lets workers in, with what it is good for. */
export interface WorkerSecret {
  secret: string;
  /** Only under this provider; without a slash in it also under its variants. */
  provider?: string;
  /** Only for these models. */
  models?: string[];
}

/** What an HTTP header carries unchanged: visible ASCII, and spaces inside. */
const SECRET = /^(?! )[\x20-\x7e]{1,1024}(?<! )$/;
const HINT = "a secret is 1 to 1024 ASCII characters without spaces at its ends";

/** One secret. */
export const secret: Kind<string> = kindOf({
  placeholder: "SECRET",
  hint: HINT,
  secret: true,
  read: readSecret,
  print: () => "[redacted]",
});

const secretTable = z.strictObject({
  secret: z.string(),
  provider: z.string().min(1).optional(),
  models: z.array(z.string().min(1)).min(1).optional(),
});

/** Several secrets: texts, or in a file `[[worker_secret]]` tables. */
export const workerSecrets: Kind<WorkerSecret[]> = kindOf<WorkerSecret[]>({
  placeholder: "SECRET",
  hint: `${HINT}; a table has secret or secret_file, provider and models`,
  several: "repeat",
  secret: true,
  read: (raw) => (Array.isArray(raw) ? raw : [raw]).map(readEntry),
  print: () => "[redacted]",
});

function readEntry(raw: unknown): WorkerSecret {
  if (typeof raw === "string") return { secret: readSecret(raw) };
  const { data } = secretTable.safeParse(raw);
  if (!data) throw new Misread("is neither a text nor a table with secret, provider and models");
  readSecret(data.secret);
  return data as WorkerSecret;
}

function readSecret(raw: unknown): string {
  if (typeof raw === "string" && SECRET.test(raw)) return raw;
  throw new Misread(raw === "" ? "is empty" : "holds something that a header cannot carry");
}
