const LOOK_INTERVAL_MS = 5;

/** Resolves once `condition` holds. @throws Error with `what` when it does not in time. */
export async function until(condition: () => boolean, what: string, withinMs = 3000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms for this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

/** The value once it has stopped changing: the same for 200 ms. */
export async function settled(value: () => number, withinMs = 5000): Promise<number> {
  const deadline = performance.now() + withinMs;
  let last = value();
  for (let since = performance.now(); performance.now() - since < 200; ) {
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms for a value to stay: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
    if (value() !== last) since = performance.now();
    last = value();
  }
  return last;
}
