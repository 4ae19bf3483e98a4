/** Every number of the plain form, with its unit and its reason. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a worker's socket takes in one message, at either end: a whole body on a plain link, as ModelRelay has it. */
export const MAX_SOCKET_MESSAGE_BYTES = 64 * MIB;

/**
 * The longest message sent. ModelRelay closes over a WebSocket frame above 16 MiB, and a client's WebSocket does
 * not say where it splits a message: 1 MiB of margin.
 */
export const MAX_SENT_TEXT_BYTES = 15 * MIB;

/** Bodies that wait on a link to become one message each; the worker's whole answers and the relay's requests. */
export const MAX_COLLECTED_BYTES = 64 * MIB;

/** A streamed body that does not look like an event stream is held back this long for its status. */
export const MAX_HELD_UNITS = 1 * MIB;

/** An event stream shows what it is within this many characters, or it is not taken for one. */
export const SSE_START_UNITS = 64;

/** Answer bytes that one client may leave unread: what ModelRelay's own worker sends in one frame at most. */
export const MAX_EXCHANGE_BACKLOG_BYTES = 16 * MIB;

/** The same for all clients of a link together: four that have stalled. Above it the one with most goes. */
export const MAX_LINK_BACKLOG_BYTES = 64 * MIB;

/** The most of one body that a message carries while others wait for their turn. */
export const CHUNK_UNITS = 64 * KIB;
