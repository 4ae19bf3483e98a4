import { startLog } from "../../shared/log.ts";

/** What is logged while `act` runs. */
export async function logged(act: () => void): Promise<string> {
  let text = "";
  const ended = startLog({
    level: "info",
    format: "text",
    write: (lines, done) => {
      text += lines;
      done();
    },
  });
  act();
  await ended();
  return text;
}
