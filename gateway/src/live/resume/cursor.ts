import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import { MAX_VARINT_BYTES, readVarint, writeVarint } from './varint.ts';

/**
 * A cursor says "everything up to here has been seen": per-partition positions of one stream, the log's epoch,
 * and for a snapshot of one key the version it contained. It is bound to the authorisation scope and the
 * subscription it was issued for, and signed, so that it can be held by a client and be valid on every replica.
 *
 * Layout before base64url: format (1), binding (8), epoch (4), issued at in seconds (varint), floor version
 * (varint, 0 for none), count (varint), then partition and position (varints) each, and 16 bytes of HMAC-SHA256.
 */
export interface Cursor {
  readonly epoch: string;
  /** What it is bound to: see `cursorBinding`. */
  readonly binding: Buffer;
  readonly issuedAtMs: number;
  /** Changes of this subscription's key up to this version are already contained in what the client has. */
  readonly floorVersion: number;
  /** Partitions that are absent do not matter to the subscription. */
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
   * @throws TidegateError CURSOR_INVALID when it is malformed or not signed by us, CURSOR_FOREIGN when it was
   * issued for another viewer or subscription, CURSOR_EXPIRED when the log was recreated since or it is too old.
   */
  decode(text: string, expected: { binding: Buffer; epoch: string; nowMs: number; maxAgeMs: number }): Cursor;
}

/** What a cursor is bound to: the scope of rights and the exact subscription. */
export function cursorBinding(scopeId: string, subscriptionFingerprint: string): Buffer {
  return sha256(`${scopeId}\n${subscriptionFingerprint}`).subarray(0, BINDING_BYTES);
}

/** The first secret signs, all of them verify: rotate by putting a new one in front. */
export function createCursorCodec(secrets: readonly string[]): CursorCodec {
  // A KeyObject made once signs five times as fast as a string key.
  const keys = secrets.map((secret) => createSecretKey(Buffer.from(secret, 'utf8')));
  const signingKey = keys[0];
  if (!signingKey) throw new TidegateError('CONFIG_INVALID', 'CURSOR_SECRETS needs at least one secret.');
  return {
    encode: (cursor) => {
      const body = encodeBody(cursor);
      return Buffer.concat([body, sign(signingKey, body)]).toString('base64url');
    },
    decode: (text, expected) => {
      const body = verified(text, keys);
      const cursor = decodeBody(body);
      if (!cursor.binding.equals(expected.binding)) {
        throw new TidegateError(
          'CURSOR_FOREIGN',
          'This cursor belongs to another viewer or another subscription.',
        );
      }
      if (cursor.epoch !== epochTag(expected.epoch)) {
        throw new TidegateError('CURSOR_EXPIRED', 'The log was recreated since this cursor was issued.');
      }
      if (expected.nowMs - cursor.issuedAtMs > expected.maxAgeMs) {
        throw new TidegateError('CURSOR_EXPIRED', 'This cursor is older than the resume window.', {
          details: { resumeWindowMs: expected.maxAgeMs },
        });
      }
      return cursor;
    },
  };
}

function encodeBody({ binding, epoch, issuedAtMs, floorVersion, positions }: Cursor): Buffer {
  const head = 1 + BINDING_BYTES + EPOCH_BYTES;
  const body = Buffer.allocUnsafe(head + (3 + 2 * positions.size) * MAX_VARINT_BYTES);
  body[0] = FORMAT;
  body.set(binding, 1);
  body.write(epochTag(epoch), 1 + BINDING_BYTES, 'hex');
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
  if (bytes.length <= SIGNATURE_BYTES) throw malformed();
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

/** The one that was asked for last: a process has one log, and asks for every cursor. */
let lastTag: { readonly epoch: string; readonly tag: string } | undefined;

/** An epoch may be any text: the cursor holds the first bytes of its hash. A tag hashes to itself. */
function epochTag(epoch: string): string {
  if (lastTag?.epoch === epoch) return lastTag.tag;
  if (/^[0-9a-f]{8}$/.test(epoch)) return epoch;
  const tag = sha256(epoch)
    .toString('hex')
    .slice(0, EPOCH_BYTES * 2);
  lastTag = { epoch, tag };
  return tag;
}
