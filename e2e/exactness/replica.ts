/** One gateway, whether in this process or in one of its own. */
export interface Replica {
  readonly url: string;
  /** It is gone at once: nothing it held in memory goes out any more. */
  kill(): Promise<void>;
  /** Drains, then ends. */
  stop(): Promise<void>;
  /** The run needs it no longer: it ends, or waits for the next run. */
  release(): Promise<void>;
  /** Holds its tail back, or lets it go on. Does nothing where the process is another one. */
  lag(on: boolean): void;
  /**
   * The network takes nothing for the client at this port any more: what the gateway writes waits behind it, after some
   * tens of kilobytes rather than the megabytes that a kernel takes. Does nothing where the process is another one.
   */
  clog(port: number, on: boolean): void;
}

/**
 * A history so small that a client that was away for some dozen changes is served from the log and not from memory;
 * a window for draining that does not make runs long.
 */
export const replicaLimits = {
  historyBytes: 14_000,
  fillRecords: 12,
  maxQueuedBytes: 256 * 1024,
  drainWindowMs: 20,
};

export const CURSOR_SECRET = 'a secret for tests that has thirty-two characters';
