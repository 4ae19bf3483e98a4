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
 * What a socket must be ready to receive in one message: a full message, one more head and one more DATA frame
 * that were added to it, and as much again for control frames. JSON control messages must fit too.
 */
export const MAX_MESSAGE_BYTES = 1 * MIB;

/** Exchanges open at a time on one link; a worker that wants more opens more links. */
export const MAX_EXCHANGES = 4096;

/** Resets that the relay has sent and the worker has not acknowledged. A worker acknowledges each at once. */
export const MAX_UNACKNOWLEDGED_RESETS = 16 * MAX_EXCHANGES;

/** Credit that every exchange keeps in each direction, however full the link: a stalled one stalls only itself. */
export const WINDOW_FLOOR_BYTES = 16 * KIB;

/**
 * Credit that a request body starts with, known to both ends without a word: a prompt of this size leaves with
 * its head, without waiting for a round trip.
 */
export const REQUEST_WINDOW_BYTES = 64 * KIB;

/** Credit that a response body starts with while the pool is far from empty; the REQUEST frame carries it. */
export const INITIAL_WINDOW_BYTES = 256 * KIB;

/** The most that a window grows to: 4 MiB fill 1 Gbit/s at a round trip of 33 ms. */
export const MAX_WINDOW_BYTES = 4 * MIB;

/**
 * What all windows of a link may have above their floors. With the floors, no link makes its receiver keep more
 * than 32 MiB + 4096 × 16 KiB = 96 MiB, whatever stalls.
 */
export const WINDOW_POOL_BYTES = 32 * MIB;

/** Bytes of one exchange that may wait here for credit before its source is told to pause. */
export const SEND_QUEUE_BYTES = 64 * KIB;

/** What one exchange may put into a message before the next one's turn, while several have something to send. */
export const TURN_BYTES = 16 * KIB;
