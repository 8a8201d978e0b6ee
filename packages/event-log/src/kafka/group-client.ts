/** One member of a consumer group; `kafka.ts` implements it on the vendor's API. */
export interface GroupClient {
  /** Connects, subscribes from the start of each partition and begins to fetch. */
  start(topics: readonly string[], hooks: GroupClientHooks): Promise<void>;
  /** Commits the next offset to deliver. */
  commit(topic: string, partition: number, nextOffset: number): Promise<void>;
  seek(topic: string, partition: number, offset: number): void;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  disconnect(): Promise<void>;
}

export interface GroupClientHooks {
  /** The next batch of a partition is fetched after the promise resolved. */
  readonly onBatch: (batch: GroupBatch) => Promise<void>;
  readonly onJoin: (memberId: string, assignment: Assignment) => void;
  /** A heartbeat was answered, or the member joins or rebalances. */
  readonly onActivity: () => void;
  readonly onRequestTimeout: (error: Error) => void;
  /** The member has ended and does not restart. */
  readonly onCrash: (error: Error) => void;
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>;

export interface GroupBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly GroupMessage[];
  /** False once the member stops or seeks elsewhere: the rest of the batch must not be handled. */
  isCurrent(): boolean;
  /** Commits the offset after `last`, then sends a heartbeat when one is due. */
  acknowledge(last: GroupMessage): Promise<void>;
}

export interface GroupMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  readonly timestamp: string;
}

type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;
