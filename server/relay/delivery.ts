import type { RelayFailure } from "../../shared/failures.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { RequestContext } from "../../shared/runtime/ports.ts";
import type { Caller, RelayParts } from "./parts.ts";
import type { RequestBody } from "./request_body.ts";
import type { RequestRecord } from "./request_record.ts";
import type { Responder } from "./responder.ts";

/** One request that may be sent. */
export interface DeliveryOptions {
  readonly parts: RelayParts;
  readonly method: string;
  readonly headers: FieldReader;
  readonly context: RequestContext;
  readonly caller: Caller;
  readonly body: RequestBody;
  readonly record: RequestRecord;
  readonly responder: Responder;
  readonly client: DeliveryClient;
}

/** Who waits for what comes of it. */
export interface DeliveryClient {
  /** The first answer that may go to the client. This or the next is told, once. */
  answered(response: Response): void;
  /** There is none. */
  failed(thrown: unknown): void;
  /** It has to wait for a slot: nobody is to get one whose client has left. */
  waits(): void;
  /** Reading the client's body failed. */
  uploadFailed(failure: RelayFailure): void;
}

/** The way of one request to whoever answers it: workers one after the other, or one provider. */
export interface Delivery {
  /** Called once. May tell before it returns. */
  begin(): void;
  /** What the client gets all the same when it has failed; undefined: that it has. */
  lastAnswer(): Response | undefined;
  /** The request is over, whatever it waits for. */
  stop(failure: RelayFailure): void;
  /** Nobody works on it any more. Nothing happens when it had finished. */
  giveUp(): void;
}
