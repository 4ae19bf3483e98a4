/**
 * Every number of the framed link, with its unit and its reason. Both ends hold the same ones; a peer that
 * exceeds one broke the protocol and its link is closed. `docs/protocol.md` repeats them for other languages.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Type, flags, exchange id, payload length: 1 + 1 + 4 + 4. */
export const FRAME_HEADER_BYTES = 10;

/** Body bytes in one DATA frame. A sender with more makes several, so that exchanges can take turns between. */
export const MAX_DATA_BYTES = 64 * KIB;

/** A request or response head as it stands in its frame: 4 × the 16 KiB that HTTP servers commonly accept. */
export const MAX_HEAD_BYTES = 64 * KIB;

/** Header fields in a head; nginx and Apache stop at 100, Node at 2,000. */
export const MAX_HEAD_FIELDS = 500;

/** The sentence in a RESET is for a log line. */
export const MAX_RESET_TEXT_BYTES = 1 * KIB;

/**
 * A message is sent when it has reached this size: large enough that the cost of a message does not show
 * (16,384 of them in a gigabyte), small enough that an event that waits behind one waits 0.5 ms at 1 Gbit/s.
 */
export const MESSAGE_TARGET_BYTES = 64 * KIB;

/**
 * What a socket must be ready to receive in one message. Binary ones end with the frame that makes them reach
 * their target, so they stay below 64 KiB + 64 KiB + 14; a JSON message can hold a list of a thousand models.
 */
export const MAX_MESSAGE_BYTES = 1 * MIB;

/**
 * Frames that may wait for a socket that takes nothing, beside a head for each open exchange, before the link is
 * given up: resets and their acknowledgements, 760,000 of them, as bodies wait in queues of their own.
 */
export const MAX_WAITING_BYTES = 8 * MIB;

/** Exchanges open at a time on one link; a worker that wants more opens more links. */
export const MAX_EXCHANGES = 4096;

/** Resets that the relay has sent and the worker has not acknowledged. A worker acknowledges each at once. */
export const MAX_UNACKNOWLEDGED_RESETS = 16 * MAX_EXCHANGES;

/** The last exchange id that there is; a thousand requests per second use them up in 49 days. */
export const MAX_EXCHANGE_ID = 2 ** 32 - 1;

/** Credit that an exchange may have in one direction: windows are far smaller, and sums stay exact in 32 bits. */
export const MAX_CREDIT_BYTES = 2 ** 31 - 1;

/** Credit that every exchange keeps in each direction, however full the link: a stalled one stalls only itself. */
export const WINDOW_FLOOR_BYTES = 16 * KIB;

/**
 * Credit that a request body starts with, known to both ends without a word: a prompt of this size leaves with
 * its head, without waiting for a round trip. Its window never gets smaller: a worker has as many requests at a
 * time as it asked for.
 */
export const REQUEST_WINDOW_BYTES = 64 * KIB;

/** Credit that a response body starts with while the pool is far from empty; the REQUEST frame carries it. */
export const INITIAL_WINDOW_BYTES = 256 * KIB;

/** The most that a window grows to: 4 MiB fill 1 Gbit/s at a round trip of 33 ms. */
export const MAX_WINDOW_BYTES = 4 * MIB;

/**
 * What all windows of a link may have above their floors. With the floors, the open exchanges of a link make the
 * relay keep no more than 32 MiB + 4096 × 16 KiB = 96 MiB, whatever stalls, and a worker with 32 slots
 * 32 MiB + 32 × 64 KiB = 34 MiB.
 */
export const WINDOW_POOL_BYTES = 32 * MIB;

/** Bytes of one exchange that may wait here for credit before its source is told to pause. */
export const SEND_QUEUE_BYTES = 64 * KIB;

/** What one exchange may put into a message before the next one's turn, while several have something to send. */
export const TURN_BYTES = 16 * KIB;
