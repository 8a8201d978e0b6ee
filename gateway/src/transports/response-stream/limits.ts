/** Time for a client to read the rest of a stream that has completed or leaves. */
export const FINAL_FLUSH_TIMEOUT_MS = 10_000;
