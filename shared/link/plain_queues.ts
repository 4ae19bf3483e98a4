import { LinkProtocolError } from "./events.ts";
import { MAX_UNACKNOWLEDGED_RESETS } from "./limits.ts";
import { type ControlMessage, type Message, serialise } from "./messages.ts";

/** Messages that go before all others: cancels, and the answers to them. */
export class UrgentQueue {
  readonly #texts: string[] = [];

  /** @throws LinkProtocolError when the other end has taken none of very many. */
  add(message: Message): void {
    if (this.#texts.length >= MAX_UNACKNOWLEDGED_RESETS) {
      throw new LinkProtocolError(`The other end of the link took none of ${this.#texts.length} messages`);
    }
    this.#texts.push(serialise(message));
  }

  take(): string | undefined {
    return this.#texts.shift();
  }
}

/** Control messages that wait: the latest of each type, as older ones say nothing more. */
export class ControlQueue {
  readonly #texts = new Map<string, string>();

  add(message: ControlMessage): void {
    this.#texts.set(message.type, serialise(message));
  }

  take(): string | undefined {
    for (const [type, text] of this.#texts) {
      this.#texts.delete(type);
      return text;
    }
    return undefined;
  }
}
