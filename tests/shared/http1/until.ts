const POLL_MS = 2;
const GIVE_UP_MS = 5000;

/** Wait for a condition that nothing signals. */
export async function until(condition: () => boolean, what: string | (() => string)): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > GIVE_UP_MS) {
      throw new Error(`Waited ${GIVE_UP_MS} ms for ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
