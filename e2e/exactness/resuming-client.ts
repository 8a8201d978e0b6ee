import type { ExpectedView, OperationSpec } from './expected-view.ts';
import type { ItemWriter } from './item-writer.ts';

/** One client as a script describes it. */
export interface ClientSpec {
  readonly transport: 'websocket' | 'sse';
  /** Lifetime of its tokens in milliseconds. An unrenewed token ends the connection; the client reconnects. */
  readonly tokenLifetimeMs: number;
  readonly operations: readonly OperationSpec[];
}

export interface ResumingClientOptions extends ClientSpec {
  /** Subject of its tokens, the same on every connection. */
  readonly subject: string;
  readonly writer: ItemWriter;
  /** Address of this replica, or of another one when it is down; undefined when none is up. */
  readonly urlOf: (replica: number) => string | undefined;
  /** Tells the replicas to stop, or to continue, writing to the connection from this local port. */
  readonly clog: (port: number, on: boolean) => void;
  readonly onViolation: (error: Error) => void;
  readonly onResume: () => void;
  readonly onRenewal: () => void;
}

/**
 * A client that makes full use of the protocol. Keeps only the cursor of each operation's last message and resumes
 * from it whenever its connection ends. May disconnect, read slowly and unsubscribe. Checks every message against the
 * oracle.
 */
export interface ResumingClient {
  readonly views: readonly ExpectedView[];
  /** Connects if it is not connected. Subscribes again to operations it had unsubscribed from. */
  connect(replica: number): void;
  /** Disconnects without a close handshake. */
  vanish(): void;
  /** Closes the connection by the protocol. */
  close(): void;
  /** Completes its first operation by the protocol and keeps the others. */
  unsubscribe(): void;
  /**
   * Completes its first operation and subscribes to it again at once; over WebSocket under the same id and with one TCP
   * write. Returns false when it is not subscribed.
   */
  resubscribe(): boolean;
  /** Stops reading: messages accumulate in the kernel and the gateway. Returns false when it is not connected. */
  pause(): boolean;
  resume(): void;
  /** Renews its token on the same connection, if the transport supports that. */
  renew(): void;
  /** Uses long-lived tokens from here on. */
  settle(): void;
}

/** Delay before a reconnect or a retry, in milliseconds. */
export const RECONNECT_MS = 3;
