import { ByteQueue } from "./byte_queue.ts";
import type { ExchangeId } from "./events.ts";

/** The body that one exchange sends: its credit, and the bytes that wait for credit or for their turn. */
export class OutgoingBody extends ByteQueue {
  /** The source was told to pause. */
  blocked = false;
  /** It stands in the ring of those that take turns. */
  inTurn = false;

  constructor(
    readonly id: ExchangeId,
    public credit: number,
  ) {
    super();
  }

  override clear(): void {
    super.clear();
    this.blocked = false;
  }
}
