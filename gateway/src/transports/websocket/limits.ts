/** Time for `connection_init` after the upgrade (docs/protocol.md, 14). */
export const CONNECTION_INIT_TIMEOUT_MS = 5_000;

/** Time for a client to read its close frame before its socket is destroyed: it may read nothing at all. */
export const CLOSE_FRAME_TIMEOUT_MS = 2_000;

/** Time for queued messages to be written before an orderly close. */
export const FINAL_FLUSH_TIMEOUT_MS = 5_000;

/** Time for clients to answer the last close frame of a drain. */
export const DRAIN_GRACE_MS = 1_000;

/** Refused operations after which a connection is closed: a client that goes on after so many does nothing else. */
export const MAX_REFUSED_OPERATIONS = 1_000;

/** Maximum cursors in one ping: some 10 KB. */
export const MAX_POSITIONS_PER_PING = 64;

/** Maximum renewals of one connection whose tokens wait to be verified; each may be as large as a message. */
export const MAX_WAITING_RENEWALS = 8;
