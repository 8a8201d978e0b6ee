/** One gateway, in this process or in its own. */
export interface Replica {
  readonly url: string;
  /** Ends it at once. Everything it held in memory is lost. */
  kill(): Promise<void>;
  /** Drains, then ends. */
  stop(): Promise<void>;
  /** Ends it, or keeps it for the next run. */
  release(): Promise<void>;
  /** Holds back its tail, or releases it. Does nothing for a gateway in another process. */
  lag(on: boolean): void;
  /**
   * Holds back the bytes for the client at this port, or releases them. The gateway meets backpressure after some tens of
   * kilobytes instead of the megabytes that a kernel buffers. Does nothing for a gateway in another process.
   */
  clog(port: number, on: boolean): void;
}

/**
 * Limits of the replicas. A small history, so that a client that missed a few dozen changes is served from the log. A
 * short drain window, so that runs are short.
 */
export const replicaLimits = {
  historyBytes: 14_000,
  fillRecords: 12,
  maxQueuedBytes: 256 * 1024,
  drainWindowMs: 20,
};

export const CURSOR_SECRET = 'a secret for tests that has thirty-two characters';
