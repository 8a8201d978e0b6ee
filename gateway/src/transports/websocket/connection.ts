import type { Socket } from 'node:net';
import { anonymous } from '@tidegate/bff';
import { errorCodes, toTidegateError, TidegateError, type ErrorCode } from '@tidegate/core';
import { ByteAccount } from '../../admission/byte-account.ts';
import { ConnectionHold } from '../../admission/connection-hold.ts';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { drawAgeMs } from '../connection-age.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { Expiry } from '../expiry.ts';
import { OutboundQueue } from '../outbound/outbound-queue.ts';
import { closeReason } from './close-reason.ts';
import type { ClosingWebSocket } from './closing-web-socket.ts';
import type { WebSocketEncoder, WebSocketSource } from './encoding.ts';
import { CLOSE_FRAME_TIMEOUT_MS, FINAL_FLUSH_TIMEOUT_MS } from './limits.ts';
import { Operations } from './operations.ts';

export interface WebSocketConnectionOptions extends ConnectionOptions {
  readonly server: BffServer;
}

export type WebSocketQueue = OutboundQueue<WebSocketSource, Socket>;

/** One WebSocket from its upgrade to its close: its viewer, its subscriptions, its outbound queue and its end. */
export class WebSocketConnection {
  readonly socket: ClosingWebSocket;
  readonly queue: WebSocketQueue;
  readonly operations = new Operations();
  /** Memory of the operations. */
  readonly bytes = new ByteAccount();
  readonly #metrics: LiveMetrics;
  readonly #hold: ConnectionHold;
  readonly #stopHeartbeats: () => void;
  #answeredProbe = true;
  #facts: EdgeFacts;
  readonly #tokenExpiry = new Expiry(() => this.#closeExpired());
  readonly #departure = new Expiry(() => this.leave());
  #finalFlush: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #leaving = false;
  /** True from the first Close frame on, of either side: no operation begins or continues. */
  #closing = false;
  #closeFrameSent = false;

  constructor(
    socket: ClosingWebSocket,
    tcpSocket: Socket,
    facts: EdgeFacts,
    options: WebSocketConnectionOptions & { readonly encoder: WebSocketEncoder },
  ) {
    this.socket = socket;
    this.#metrics = options.metrics;
    this.#facts = facts;
    this.queue = new OutboundQueue({
      encoder: options.encoder,
      scheduler: options.scheduler,
      maxBytes: options.maxQueuedBytes,
      onOverflow: () => this.#endSlowConsumer(),
    });
    this.queue.attach(tcpSocket);
    this.#hold = new ConnectionHold(options.guards, () => this.cutOff('UNAUTHENTICATED'));
    socket.onClosing = () => this.#advanceClosing();
    socket.on('pong', () => (this.#answeredProbe = true));
    this.#stopHeartbeats = options.heartbeats.start(() => this.#probe());
    const ageMs = drawAgeMs(options.maxConnectionAgeMs);
    if (ageMs !== undefined) this.leaveAfter(ageMs);
    socket.on('close', () => this.#release());
  }

  get facts(): EdgeFacts {
    return this.#facts;
  }

  /** True once the connection takes no more messages: see `#closing`. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Assigns the connection to the viewer of `connection_init`. @throws TidegateError TOO_MANY_CONNECTIONS */
  identify(viewer: VerifiedViewer): void {
    // The connection may have closed while the token was verified.
    if (this.#closing) return;
    this.#hold.assign(viewer);
    this.#facts = { ...this.#facts, viewer };
    this.#tokenExpiry.set(viewer.expiresAtMs ?? Infinity);
  }

  /**
   * Continues under a newer token of the same subject (docs/protocol.md, 16). Running subscriptions are authorised
   * again and end with an error where the new token does not permit them.
   *
   * @returns the expiry of the token, milliseconds since the epoch.
   * @throws TidegateError FORBIDDEN when the token has another subject.
   */
  renew(viewer: VerifiedViewer): number | undefined {
    const { viewer: before } = this.#facts;
    if (viewer.id !== before.id) {
      throw new TidegateError('FORBIDDEN', 'A token is renewed by one of the same subject.');
    }
    this.identify(viewer);
    this.#reauthorise();
    return viewer.expiresAtMs;
  }

  /**
   * Queues a message of the protocol, in order with the frames.
   *
   * @param owner discards the message together with its other messages. Default: the message is not discarded.
   */
  send(message: string, owner?: object): void {
    this.queue.send(Buffer.from(message), owner);
  }

  /** Closes with the close code of this error, after the messages that the socket takes at once. */
  close(code: ErrorCode): void {
    this.closeWith(errorCodes[code].closeCode, code);
  }

  /** @param reason for the client's developer; cut to the size of a close frame. Default: none. */
  closeWith(closeCode: number | undefined, reason = ''): void {
    if (this.#closing) return;
    this.queue.flush();
    this.#endOperations();
    this.socket.close(closeCode, closeReason(reason));
  }

  /** Asks the client to reconnect, here or elsewhere, once all queued messages are written. Idempotent. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.queue.flush();
    this.#finalFlush = setTimeout(() => this.close('DRAINING'), FINAL_FLUSH_TIMEOUT_MS);
    this.queue.onceFlushed(() => this.close('DRAINING'));
  }

  /** Leaves after this delay in milliseconds, in place of the delay set before. */
  leaveAfter(delayMs: number): void {
    this.#departure.set(Date.now() + delayMs);
  }

  /** Closes at once and drops queued messages. A client that does not read the close frame loses its socket. */
  cutOff(code: ErrorCode): void {
    this.#facts = { ...this.#facts, viewer: anonymous };
    this.#endOperations();
    this.socket.close(errorCodes[code].closeCode, code);
    this.#terminateSoon();
  }

  /** Terminates a connection whose client vanished without closing: it did not answer the last probe. */
  #probe(): void {
    if (!this.#answeredProbe) return this.socket.terminate();
    this.#answeredProbe = false;
    this.socket.ping();
  }

  #endSlowConsumer(): void {
    this.#metrics.slowConsumers.inc({ transport: 'websocket' });
    this.cutOff('SLOW_CONSUMER');
  }

  #reauthorise(): void {
    for (const { running } of [...this.operations]) {
      try {
        running?.live.renew(running.request.forViewer(this.#facts.viewer));
      } catch (error) {
        running?.live.stop();
        running?.end(toTidegateError(error));
      }
    }
  }

  /** The second step of the handshake, or a first one that this connection did not begin, comes from the client. */
  #advanceClosing(): void {
    const isOwn = this.#closing && !this.#closeFrameSent;
    this.#closeFrameSent = true;
    if (isOwn) return;
    this.#endOperations();
    this.#terminateSoon();
  }

  #endOperations(): void {
    this.#closing = true;
    // Nothing may follow a close frame (RFC 6455, 5.5.1).
    this.queue.close();
    this.operations.endAll();
  }

  /** The client has closed or reads nothing: it may keep its TCP side open for ever. */
  #terminateSoon(): void {
    this.#deadline ??= setTimeout(() => this.socket.terminate(), CLOSE_FRAME_TIMEOUT_MS).unref();
  }

  #closeExpired(): void {
    this.#facts = { ...this.#facts, viewer: anonymous };
    this.close('TOKEN_EXPIRED');
  }

  #release(): void {
    this.#endOperations();
    clearTimeout(this.#deadline);
    this.#stopHeartbeats();
    this.#tokenExpiry.clear();
    this.#departure.clear();
    clearTimeout(this.#finalFlush);
    this.#hold.release();
  }
}
