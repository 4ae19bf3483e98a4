import process from "node:process";

/** The first SIGTERM or SIGINT asks for a drain, the second ends the process at once, with the code that shells use. */
export function whenToldToStop(): { requested: Promise<NodeJS.Signals> } {
  let told = false;
  const requested = new Promise<NodeJS.Signals>((resolve) => {
    for (const [signal, exitCode] of [
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const) {
      process.on(signal, () => {
        if (told) process.exit(exitCode);
        told = true;
        resolve(signal);
      });
    }
  });
  return { requested };
}
