/** Statistics of runs. They show that the runs contained the situations that the property is about. */
export interface RunStats {
  messages: number;
  resumes: number;
  kills: number;
  restarts: number;
  /** Dropped messages that clients were told of. */
  dropped: number;
  /** Fresh snapshots in place of dropped messages. */
  fresh: number;
  /** Tokens renewed on an open connection. */
  renewals: number;
  /** Operations that were replaced by others of the same id. */
  reuses: number;
  /** Connections that were broken off while they began. */
  aborts: number;
  /** Batches of foreign producers. */
  foreign: number;
  /** Brokers that froze or restarted. */
  troubles: number;
}

export const noStats: RunStats = {
  messages: 0,
  resumes: 0,
  kills: 0,
  restarts: 0,
  dropped: 0,
  fresh: 0,
  renewals: 0,
  reuses: 0,
  aborts: 0,
  foreign: 0,
  troubles: 0,
};
