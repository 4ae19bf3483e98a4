import type { Clock } from "./clock.ts";

/** Wait for `done`, at most `limitMs`. True: it was done in time. No timer stays behind to keep the process alive. */
export function within(clock: Clock, limitMs: number, done: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => resolve(false));
    const settle = (act: () => void) => {
      timer.cancel();
      act();
    };
    done.then(
      () => settle(() => resolve(true)),
      (error) => settle(() => reject(error)),
    );
  });
}
