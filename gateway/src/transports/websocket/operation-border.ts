import { errorCodes } from '@tidegate/core';
import { MessageType, parseMessage, type Message, type SubscribeMessage } from 'graphql-ws';
import { namesDocument, type OperationParams } from '../../graphql/operation-params.ts';
import { isDeeperThan } from '../../graphql/variables-shape.ts';
import { MAX_OPERATION_ID_BYTES } from '../operation-id.ts';
import type { WebSocketConnection } from './connection.ts';

/** Passes a message to graphql-ws. Resolves when graphql-ws has finished with it: for a subscribe, with its operation. */
export type HandleMessage = (text: string) => Promise<void>;

/** Maximum lists and objects inside each other in a message: JSON.stringify cannot write thousands of them. */
const MAX_MESSAGE_DEPTH = 1_000;

/** Begin of every message of graphql-ws about an operation. */
const ABOUT_OPERATION = /^\{"id":"(\d+)","type":"(\w+)"/;

/**
 * Border between one client and graphql-ws: translates the client's operation ids into keys and back, and drops messages
 * of operations that have ended. Closes the connection for messages outside the protocol.
 */
export class OperationBorder {
  readonly #connection: WebSocketConnection;

  constructor(connection: WebSocketConnection) {
    this.#connection = connection;
  }

  /**
   * Handles a message of the client. Not an async function, whose frame would keep the message in memory as long as its
   * operation runs.
   */
  receive(text: string, handle: HandleMessage): Promise<void> | undefined {
    // `ws` reports messages until the socket is closed.
    if (this.#connection.isClosing) return undefined;
    const message = parse(text);
    if (!message) return this.#refuse('Invalid message received');
    switch (message.type) {
      case MessageType.ConnectionAck:
      case MessageType.Next:
      case MessageType.Error:
        // graphql-ws throws an error for them.
        return this.#refuse(`Only a server sends "${message.type}"`);
      case MessageType.Subscribe:
        return this.#isBounded(message.id) ? this.#subscribe(message, handle) : undefined;
      case MessageType.Complete:
        return this.#isBounded(message.id) ? this.#complete(message.id, handle) : undefined;
      default:
        return handle(text);
    }
  }

  /** Sends a message of graphql-ws to the client. */
  send(text: string): void {
    const [begin, key, type] = ABOUT_OPERATION.exec(text) ?? [];
    if (begin === undefined) return this.#connection.send(text);
    const operation = this.#connection.operations.ofKey(key!);
    if (!operation || operation.ended) return;
    const rest = text.slice(begin.length);
    this.#connection.send(`{"id":${JSON.stringify(operation.id)},"type":"${type!}"${rest}`, operation);
    if (type !== 'next') operation.end();
  }

  #subscribe(message: SubscribeMessage, handle: HandleMessage): Promise<void> | undefined {
    const { operations } = this.#connection;
    const operation = operations.begin(message.id);
    if (operation)
      return handle(JSON.stringify({ ...message, id: operation.key })).finally(() =>
        operations.forget(operation),
      );
    this.#connection.closeWith(errorCodes.CONFLICT.closeCode, `Subscriber for ${message.id} already exists`);
    return undefined;
  }

  #complete(id: string, handle: HandleMessage): Promise<void> | undefined {
    const { operations, queue } = this.#connection;
    const operation = operations.find(id);
    // The server may have completed it at the same time.
    if (!operation) return undefined;
    operation.end();
    // The client would take them for messages of the next operation of this id.
    queue.discard(operation);
    if (operation.sink) queue.discard(operation.sink);
    return handle(JSON.stringify({ type: 'complete', id: operation.key }));
  }

  #isBounded(id: string): boolean {
    if (Buffer.byteLength(id) <= MAX_OPERATION_ID_BYTES) return true;
    this.#refuse(`An operation id has at most ${MAX_OPERATION_ID_BYTES} bytes`);
    return false;
  }

  #refuse(reason: string): undefined {
    this.#connection.closeWith(errorCodes.BAD_REQUEST.closeCode, reason);
    return undefined;
  }
}

/** Returns the message; undefined when it is not one of graphql-transport-ws. */
function parse(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (isDeeperThan(message, MAX_MESSAGE_DEPTH)) return undefined;
    return parseMessage(withQuery(message));
  } catch {
    return undefined;
  }
}

/** Adds an empty `query` to a subscribe that names its document by id: graphql-ws demands one. */
function withQuery(message: unknown): unknown {
  const { type, payload } = (message ?? {}) as { type?: unknown; payload?: OperationParams | null };
  if (type !== 'subscribe' || payload?.query != null || !namesDocument(payload ?? {})) return message;
  return { ...(message as object), payload: { ...payload, query: '' } };
}
