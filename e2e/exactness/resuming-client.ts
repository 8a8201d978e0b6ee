import { EventStreamClient } from './event-stream-client.ts';
import { ExpectedView, type OperationSpec } from './expected-view.ts';
import { fieldName, ownerOf } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';
import { itemToken } from './item-token.ts';
import { WebSocketClient } from './websocket-client.ts';

/** One client as a script describes it. */
export interface ClientSpec {
  readonly transport: 'websocket' | 'sse';
  /** How long its tokens live; at their end it comes back with another, if it has not renewed them before. */
  readonly tokenLivesMs: number;
  readonly operations: readonly OperationSpec[];
}

export interface ResumingClientOptions extends ClientSpec {
  /** Of its tokens; the same on every connection. */
  readonly subject: string;
  readonly writer: ItemWriter;
  /** The address of a replica that is up, if possible this one; undefined while none is. */
  readonly urlOf: (replica: number) => string | undefined;
  /** Tells the replicas that the network takes nothing for the connection from this local port any more, or again. */
  readonly clog: (port: number, on: boolean) => void;
  readonly onViolation: (error: Error) => void;
  readonly onResume: () => void;
  readonly onRenewal: () => void;
}

/**
 * A client as the protocol allows one to be: keeps nothing but the cursor of each operation's last message, comes back
 * with it whenever the server or the network ends its connection, and may vanish, read slowly, unsubscribe. Shows every
 * message to the oracle.
 */
export interface ResumingClient {
  readonly views: readonly ExpectedView[];
  /** Connects unless it is connected; subscribes again to what it had unsubscribed. */
  connect(replica: number): void;
  /** Is gone, without a word. */
  vanish(): void;
  /** Closes as a client that is done does. */
  close(): void;
  /** Ends its first operation by the protocol and keeps the rest. */
  unsubscribe(): void;
  /** Stops reading; what is sent meanwhile waits in the kernel and in the gateway. False when it is not connected. */
  pause(): boolean;
  resume(): void;
  /** A newer token on the same connection, where the transport can do that. */
  renew(): void;
  /** From now on its tokens do not end. */
  settle(): void;
}

export function createResumingClient(options: ResumingClientOptions): ResumingClient {
  return options.transport === 'sse' ? new EventStreamClient(options) : new WebSocketClient(options);
}

export const COME_BACK_MS = 3;
const FOREVER_MS = 3_600_000;

/** One operation over all of its client's connections. */
export interface Operation {
  readonly spec: OperationSpec;
  readonly view: ExpectedView;
  cursor: string | undefined;
}

export function createOperation(spec: OperationSpec, writer: ItemWriter): Operation {
  return { spec, view: new ExpectedView(spec, writer), cursor: undefined };
}

/** Codes of errors that say "come back". */
export const temporaryCodes: ReadonlySet<string> = new Set(['UNAVAILABLE', 'SLOW_CONSUMER', 'DRAINING']);

export function isTemporary(errors: unknown): boolean {
  const codes = (errors as { extensions?: { code?: string } }[]).map(({ extensions }) => extensions?.code);
  return codes.every((code) => code !== undefined && temporaryCodes.has(code));
}

export function documentOf({ field, overflow, key, slow }: OperationSpec): {
  query: string;
  variables: Record<string, string>;
} {
  const selection = `{ key version text pad ${slow ? 'slow ' : ''}}`;
  const name = fieldName(field, overflow);
  if (field === 'items') return { query: `subscription { ${name} ${selection} }`, variables: {} };
  if (field === 'owned') {
    return {
      query: `subscription ($owner: ID!) { ${name}(owner: $owner) ${selection} }`,
      variables: { owner: ownerOf(key) },
    };
  }
  return { query: `subscription ($key: ID!) { ${name}(key: $key) ${selection} }`, variables: { key } };
}

/** The tokens of one client, one after the other. */
export class ClientTokens {
  readonly #subject: string;
  #livesMs: number;
  #endsAtMs = 0;
  #inForceUntilMs = 0;

  constructor({ subject, tokenLivesMs }: ResumingClientOptions) {
    this.#subject = subject;
    this.#livesMs = tokenLivesMs;
  }

  next(): string {
    const { token, endsAtMs } = itemToken(this.#subject, this.#livesMs);
    this.#endsAtMs = endsAtMs;
    return token;
  }

  settle(): void {
    this.#livesMs = FOREVER_MS;
  }

  /** The newest is the connection's from now on: it was opened with it, or a renewal was answered. */
  inForce(untilMs = this.#endsAtMs): void {
    this.#inForceUntilMs = untilMs;
  }

  /** Whether the server may say so of the connection's token: timers may be a millisecond early. */
  get hasEnded(): boolean {
    return Date.now() >= this.#inForceUntilMs - 2;
  }
}
