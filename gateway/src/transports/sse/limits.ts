/** Delay of an EventSource before it reconnects, drawn for each stream so that clients do not reconnect all at once. */
export const RETRY_MS = { min: 1_000, spread: 4_000 };

/** Default maximum reservations of all viewers in this process whose stream is not open yet. */
export const MAX_RESERVATIONS = 10_000;

/** Default time for a reservation to be followed by its stream. */
export const RESERVATION_TTL_MS = 10_000;
