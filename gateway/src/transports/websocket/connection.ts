import type { Socket } from 'node:net';
import { anonymous } from '@tidegate/bff';
import { errorCodes, toTidegateError, TidegateError, type ErrorCode } from '@tidegate/core';
import type { WebSocket } from 'ws';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveOperation } from '../../graphql/live-operation.ts';
import { ConnectionHold, type EdgeGuards } from '../../admission/connection-hold.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { drawAgeMs } from '../connection-age.ts';
import type { Heartbeats } from '../heartbeats.ts';
import type { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { OutboundQueue } from './outbound-queue.ts';

export interface WebSocketConnectionOptions {
  readonly server: BffServer;
  readonly guards: EdgeGuards;
  readonly metrics: LiveMetrics;
  /** One for all connections of the process. */
  readonly scheduler: FlushScheduler;
  readonly maxQueuedBytes: number;
  /** One for all connections of the process: each is probed at every beat, and ended when it missed the last. */
  readonly heartbeats: Heartbeats;
  /** About how long a connection lasts; 0: as long as it likes. */
  readonly maxConnectionAgeMs: number;
}

/** A subscription that runs, with what is needed to authorise it anew. */
export interface RunningSubscription {
  readonly request: LiveOperation;
  readonly live: LiveSubscription;
  /** Ends the operation, and not the connection, with this error. */
  readonly end: (error: TidegateError) => void;
}

/** How long a client that reads nothing, or that we do not want, has to read its close frame. */
const CUT_OFF_MS = 2_000;
/** How long what is queued may take to be written before an orderly close. */
const LAST_WORD_MS = 5_000;
/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One WebSocket from its upgrade to its end: whose it is, what it runs, what waits for it, and how it is closed. */
export class WebSocketConnection {
  readonly socket: WebSocket;
  readonly queue: OutboundQueue;
  /** By the client's id. */
  readonly subscriptions = new Map<string, RunningSubscription>();
  readonly #options: WebSocketConnectionOptions;
  readonly #raw: Socket;
  readonly #hold: ConnectionHold;
  readonly #stopHeartbeats: () => void;
  #answeredProbe = true;
  #facts: EdgeFacts;
  #expiry: NodeJS.Timeout | undefined;
  #age: NodeJS.Timeout | undefined;
  #leaving = false;
  #ended = false;

  constructor(socket: WebSocket, raw: Socket, facts: EdgeFacts, options: WebSocketConnectionOptions) {
    this.#options = options;
    this.socket = socket;
    this.#raw = raw;
    this.#facts = facts;
    this.queue = new OutboundQueue({
      socket: raw,
      maxBytes: options.maxQueuedBytes,
      scheduler: options.scheduler,
      onOverflow: () => this.#endSlowConsumer(),
    });
    this.#hold = new ConnectionHold(options.guards, facts.address, () => this.cutOff('UNAUTHENTICATED'));
    socket.on('pong', () => (this.#answeredProbe = true));
    this.#stopHeartbeats = options.heartbeats.start(() => this.#probe());
    const ageMs = drawAgeMs(options.maxConnectionAgeMs);
    if (ageMs !== undefined) {
      this.#age = setTimeout(() => void this.leave(), Math.min(ageMs, MAX_TIMER_MS));
    }
    socket.on('close', () => this.#release());
  }

  get facts(): EdgeFacts {
    return this.#facts;
  }

  /** `connection_init` has said whose it is. @throws TidegateError TOO_MANY_CONNECTIONS */
  identify(viewer: VerifiedViewer): void {
    // It may have closed while the token was verified.
    if (this.#ended) return;
    this.#hold.take(viewer);
    this.#facts = { ...this.#facts, viewer };
    this.#endAtExpiry();
  }

  /**
   * Goes on under a newer token of the same subject (docs/protocol.md, 16). What runs is authorised anew: what the
   * token's rights do not allow ends with its error.
   *
   * @returns when the token ends, milliseconds since the epoch.
   * @throws TidegateError FORBIDDEN for somebody else's token.
   */
  renew(viewer: VerifiedViewer): number | undefined {
    const { viewer: before } = this.#facts;
    if (viewer.id !== before.id) {
      throw new TidegateError('FORBIDDEN', 'A token is renewed by one of the same subject.');
    }
    this.identify(viewer);
    this.#authoriseAnew();
    return viewer.expiresAtMs;
  }

  /** Says why and closes, in order with what the socket takes at once. */
  close(code: ErrorCode): void {
    this.closeWith(errorCodes[code].closeCode, code);
  }

  closeWith(closeCode: number | undefined, reason?: string): void {
    this.queue.flush();
    // Nothing may follow a close frame (RFC 6455, 5.5.1).
    this.queue.close();
    this.socket.close(closeCode, reason);
  }

  /** Asks the client to come back, here or elsewhere, once everything that is queued has been written. */
  async leave(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    await this.#written();
    this.close('DRAINING');
  }

  /** Ends it at once and drops what is queued; a client that does not read even that loses its socket. */
  cutOff(code: ErrorCode): void {
    this.#facts = { ...this.#facts, viewer: anonymous };
    this.queue.close();
    this.socket.close(errorCodes[code].closeCode, code);
    setTimeout(() => this.socket.terminate(), CUT_OFF_MS).unref();
  }

  /** Ends a peer that vanished without closing: it did not answer the probe before. */
  #probe(): void {
    if (!this.#answeredProbe) return this.socket.terminate();
    this.#answeredProbe = false;
    this.socket.ping();
  }

  /** The close frame waits behind what it has not read, so it is cut off soon after. */
  #endSlowConsumer(): void {
    this.#options.metrics.slowConsumers.inc({ transport: 'websocket' });
    this.cutOff('SLOW_CONSUMER');
  }

  #authoriseAnew(): void {
    for (const { request, live, end } of [...this.subscriptions.values()]) {
      try {
        live.renew(request.forViewer(this.#facts.viewer));
      } catch (error) {
        end(toTidegateError(error));
      }
    }
  }

  #endAtExpiry(): void {
    clearTimeout(this.#expiry);
    const { expiresAtMs } = this.#facts.viewer;
    if (expiresAtMs === undefined) return;
    const waitMs = Math.max(0, expiresAtMs - Date.now());
    this.#expiry = setTimeout(
      () => {
        if (waitMs > MAX_TIMER_MS) return this.#endAtExpiry();
        this.#facts = { ...this.#facts, viewer: anonymous };
        this.close('TOKEN_EXPIRED');
      },
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  /** Resolves when nothing waits in the queue, or the client has taken too long. */
  async #written(): Promise<void> {
    this.queue.flush();
    if (this.queue.bytes === 0 || this.#raw.destroyed) return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        this.queue.flush();
        if (this.queue.bytes > 0 && !this.#raw.destroyed) return;
        finish();
      };
      const finish = (): void => {
        clearTimeout(late);
        this.#raw.off('drain', settle).off('close', finish);
        resolve();
      };
      const late = setTimeout(finish, LAST_WORD_MS);
      this.#raw.on('drain', settle).on('close', finish);
    });
  }

  #release(): void {
    this.#ended = true;
    this.#stopHeartbeats();
    clearTimeout(this.#expiry);
    clearTimeout(this.#age);
    this.#hold.release();
    this.queue.close();
  }
}
