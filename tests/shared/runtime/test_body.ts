import type { BodySink, BodySource } from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";

export const CHUNK = new Uint8Array(16 * 1024).fill(120);

/** A body that does what a test tells it to, and counts what it is told. */
export class TestBody implements BodySource {
  sink: BodySink | undefined;
  drains = 0;
  cancels = 0;
  onStart = (_sink: BodySink): void => {};
  onDrain = (_sink: BodySink): void => {};

  start(sink: BodySink): void {
    this.sink = sink;
    this.onStart(sink);
  }
  drain(): void {
    this.drains++;
    this.onDrain(this.sink!);
  }
  cancel(): void {
    this.cancels++;
  }
  async started(): Promise<BodySink> {
    await until(() => this.sink !== undefined, "the body's start");
    return this.sink!;
  }
}

/** Writes until the sink stays full: the kernel goes on taking what it has room for. */
export async function fill(sink: BodySink, body: TestBody): Promise<number> {
  for (let written = 0; ; ) {
    for (let room = true; room; written += CHUNK.length) room = sink.write(CHUNK.slice());
    const drained = until(() => body.drains > 0, "drain", 300).then(
      () => true,
      () => false,
    );
    if (!(await drained)) return written;
    body.drains = 0;
  }
}
