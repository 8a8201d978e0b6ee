import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import { MAX_VARINT_BYTES, readVarint, writeVarint } from './varint.ts';

/**
 * Resume point of a subscription: the positions by partition of one stream, the log's epoch, and for a field of one
 * key the version that the client has. A cursor is bound to a scope and a subscription and is signed, so a client can
 * hold it and every replica accepts it.
 *
 * Layout before base64url: format (1 byte), binding (8), epoch (4), time of issue in seconds (varint), floor version
 * (varint, 0 for none), count (varint), then partition and position (varints) for each, and 16 bytes of HMAC-SHA256.
 */
export interface Cursor {
  readonly epoch: string;
  /** Hash of scope and subscription: see `cursorBinding`. */
  readonly binding: Buffer;
  readonly issuedAtMs: number;
  /** The client has all changes of the subscription's key up to this version. 0 when unknown. */
  readonly floorVersion: number;
  /** Next offset by partition, of the partitions that the subscription's changes can come from. */
  readonly positions: ReadonlyMap<number, number>;
}

const FORMAT = 1;
const BINDING_BYTES = 8;
const EPOCH_BYTES = 4;
const SIGNATURE_BYTES = 16;
const MAX_CURSOR_CHARACTERS = 1024;

export interface CursorCodec {
  encode(cursor: Cursor): string;
  /**
   * Verifies and decodes a cursor.
   *
   * @throws TidegateError CURSOR_INVALID when it is malformed or its signature is wrong, CURSOR_FOREIGN when it was
   * issued for another scope or subscription, CURSOR_EXPIRED when the log was re-created or it is older than `maxAgeMs`.
   */
  decode(text: string, expected: { binding: Buffer; epoch: string; nowMs: number; maxAgeMs: number }): Cursor;
}

/** Hashes the scope and the subscription that a cursor is bound to. */
export function cursorBinding(scopeId: string, subscriptionFingerprint: string): Buffer {
  return sha256(`${scopeId}\n${subscriptionFingerprint}`).subarray(0, BINDING_BYTES);
}

/**
 * Creates the codec of all cursors of a gateway.
 *
 * @param secrets the first one signs, all of them verify: rotate by putting a new secret in front.
 * @throws TidegateError CONFIG_INVALID when there is no secret.
 */
export function createCursorCodec(secrets: readonly string[]): CursorCodec {
  const [signingKey, ...retiredKeys] = secrets.map((secret) => createSecretKey(Buffer.from(secret, 'utf8')));
  if (!signingKey) throw new TidegateError('CONFIG_INVALID', 'CURSOR_SECRETS needs at least one secret.');
  return new SignedCursorCodec(signingKey, retiredKeys);
}

class SignedCursorCodec implements CursorCodec {
  // A KeyObject signs five times as fast as a string key.
  readonly #signingKey: KeyObject;
  readonly #keys: readonly KeyObject[];
  /** Tag of the last epoch: a process has one log, and every cursor needs its tag. */
  #tagged: { readonly epoch: string; readonly tag: string } | undefined;

  constructor(signingKey: KeyObject, retiredKeys: readonly KeyObject[]) {
    this.#signingKey = signingKey;
    this.#keys = [signingKey, ...retiredKeys];
  }

  encode(cursor: Cursor): string {
    const body = encodeBody(cursor, this.#tagOf(cursor.epoch));
    return Buffer.concat([body, sign(this.#signingKey, body)]).toString('base64url');
  }

  decode(text: string, { binding, epoch, nowMs, maxAgeMs }: Parameters<CursorCodec['decode']>[1]): Cursor {
    const cursor = decodeBody(verified(text, this.#keys));
    if (!cursor.binding.equals(binding)) {
      throw new TidegateError(
        'CURSOR_FOREIGN',
        'This cursor belongs to another viewer or another subscription.',
      );
    }
    if (cursor.epoch !== this.#tagOf(epoch)) {
      throw new TidegateError('CURSOR_EXPIRED', 'The log was recreated since this cursor was issued.');
    }
    if (nowMs - cursor.issuedAtMs > maxAgeMs) {
      throw new TidegateError('CURSOR_EXPIRED', 'This cursor is older than the resume window.', {
        details: { resumeWindowMs: maxAgeMs },
      });
    }
    return cursor;
  }

  /** Shortens an epoch, which may be any text, to the first bytes of its hash. A tag maps to itself. */
  #tagOf(epoch: string): string {
    if (this.#tagged?.epoch === epoch) return this.#tagged.tag;
    if (/^[0-9a-f]{8}$/.test(epoch)) return epoch;
    const tag = sha256(epoch)
      .toString('hex')
      .slice(0, EPOCH_BYTES * 2);
    this.#tagged = { epoch, tag };
    return tag;
  }
}

function encodeBody({ binding, issuedAtMs, floorVersion, positions }: Cursor, epochTag: string): Buffer {
  const head = 1 + BINDING_BYTES + EPOCH_BYTES;
  const body = Buffer.allocUnsafe(head + (3 + 2 * positions.size) * MAX_VARINT_BYTES);
  body[0] = FORMAT;
  body.set(binding, 1);
  body.write(epochTag, 1 + BINDING_BYTES, 'hex');
  let end = writeVarint(body, head, Math.floor(issuedAtMs / 1000));
  end = writeVarint(body, end, floorVersion);
  end = writeVarint(body, end, positions.size);
  for (const [partition, position] of positions) {
    end = writeVarint(body, end, partition);
    end = writeVarint(body, end, position);
  }
  return body.subarray(0, end);
}

function decodeBody(body: Buffer): Cursor {
  const at = { offset: 1 + BINDING_BYTES + EPOCH_BYTES };
  if (body[0] !== FORMAT || body.length < at.offset) throw malformed();
  const issuedAtMs = readVarint(body, at) * 1000;
  const floorVersion = readVarint(body, at);
  const count = readVarint(body, at);
  const positions = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const partition = readVarint(body, at);
    positions.set(partition, readVarint(body, at));
  }
  return {
    binding: body.subarray(1, 1 + BINDING_BYTES),
    epoch: body.subarray(1 + BINDING_BYTES, 1 + BINDING_BYTES + EPOCH_BYTES).toString('hex'),
    issuedAtMs,
    floorVersion,
    positions,
  };
}

function verified(text: string, keys: readonly KeyObject[]): Buffer {
  if (text.length > MAX_CURSOR_CHARACTERS || !/^[A-Za-z0-9_-]+$/.test(text)) throw malformed();
  const bytes = Buffer.from(text, 'base64url');
  // The decoder ignores surplus letters and bits at the end: a cursor has one spelling only.
  if (bytes.length <= SIGNATURE_BYTES || bytes.toString('base64url') !== text) throw malformed();
  const body = bytes.subarray(0, -SIGNATURE_BYTES);
  const signature = bytes.subarray(-SIGNATURE_BYTES);
  if (!keys.some((key) => timingSafeEqual(sign(key, body), signature))) throw malformed();
  return body;
}

function malformed(): TidegateError {
  return new TidegateError('CURSOR_INVALID', 'This is not a cursor that was issued here.');
}

function sign(key: KeyObject, body: Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, SIGNATURE_BYTES);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
