import type { ServerProcess } from '../servers/server-process.ts';
import type { TickRequest } from '../servers/workload.ts';

export const subjectNames = ['tidegate', 'stock', 'bareWs'] as const;
export type SubjectName = (typeof subjectNames)[number];

/** One server with its subscribed connections, ready to be measured. */
export interface Subject extends AsyncDisposable {
  readonly name: SubjectName;
  /** Name of its connections in the load generator. */
  readonly group: string;
  readonly server: ServerProcess;
  /**
   * Publishes ticks. Resolves when they are in the log, or when a server without a log was told. Appending is not part
   * of the server under measurement, as services are not part of a gateway.
   */
  readonly publish: (ticks: TickRequest) => Promise<void>;
  readonly connections: number;
  /** Memory per subscribed connection before any traffic, in KiB. */
  readonly rssPerConnectionKb: number;
}
