import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { TidegateError } from '@tidegate/core';

/** Header of a signed call and of a signed record: `t=<epoch seconds>,v1=<signature>`, without `t` in a record. */
export const CALLER_HEADER = 'tidegate-caller';

/** Maximum difference between the clocks of caller and service, and age of a call, in milliseconds. */
const TOLERANCE_MS = 60_000;
const MIN_CHARACTERS = 32;
const HEADER = /^t=(\d{1,12}),v1=([A-Za-z0-9_-]{43})$/;
const RECORD_HEADER = /^v1=([A-Za-z0-9_-]{43})$/;

/** A call of an operation. */
export interface Call {
  readonly service: string;
  /** Path of the operation, e.g. `/commands/book-trip`. */
  readonly path: string;
  readonly body: Uint8Array | string;
}

/** A record that carries a command. */
export interface CommandRecord {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Secrets that callers share with the services: a call or a command without their signature is not believed. HMAC-SHA256
 * over the service, the path, the time and the SHA-256 of the body; of a record over its topic, key, CloudEvents
 * attributes and value. The first secret signs, all verify.
 */
export class CallerKeys {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];
  readonly #clock: () => number;

  /**
   * @param secrets at least 32 characters each, the newest first.
   * @param clock epoch milliseconds. Default `Date.now`.
   * @throws TidegateError CONFIG_INVALID without secrets, and for a shorter one.
   */
  constructor(secrets: readonly string[], clock: () => number = Date.now) {
    const [first, ...others] = secrets.map((secret) => {
      if (secret.length >= MIN_CHARACTERS) return createSecretKey(Buffer.from(secret));
      throw new TidegateError(
        'CONFIG_INVALID',
        `A secret of SERVICE_SECRETS has at least ${MIN_CHARACTERS} characters.`,
      );
    });
    if (!first) throw new TidegateError('CONFIG_INVALID', 'SERVICE_SECRETS needs at least one secret.');
    this.#keys = [first, ...others];
    this.#clock = clock;
  }

  /** Returns the value of `CALLER_HEADER` for a call. */
  signCall(call: Call): string {
    const time = String(Math.floor(this.#clock() / 1000));
    return `t=${time},v1=${signature(this.#keys[0], callContent(call, time))}`;
  }

  /** @throws TidegateError UNAUTHENTICATED when the header is missing, too old, or not of this call. */
  verifyCall(header: string | null | undefined, call: Call): void {
    const [, time, given] = HEADER.exec(header ?? '') ?? [];
    if (time === undefined || given === undefined)
      throw new TidegateError('UNAUTHENTICATED', 'The call is not signed by a caller of this service.');
    if (Math.abs(this.#clock() - Number(time) * 1000) > TOLERANCE_MS)
      throw new TidegateError(
        'UNAUTHENTICATED',
        'The signature of the call is too old, or the clocks differ.',
      );
    this.#require(given, callContent(call, time));
  }

  /** Returns the record with its signature. */
  signRecord<Record extends CommandRecord>(topic: string, record: Record): Record {
    const value = `v1=${signature(this.#keys[0], recordContent(topic, record))}`;
    return { ...record, headers: { ...record.headers, [CALLER_HEADER]: value } };
  }

  /** @throws TidegateError UNAUTHENTICATED when the record is not signed, or was altered. */
  verifyRecord(topic: string, record: CommandRecord): void {
    const [, given] = RECORD_HEADER.exec(record.headers[CALLER_HEADER] ?? '') ?? [];
    if (given === undefined) throw new TidegateError('UNAUTHENTICATED', 'The command is not signed.');
    this.#require(given, recordContent(topic, record));
  }

  #require(given: string, content: string): void {
    const bytes = Buffer.from(given);
    const matches = this.#keys.some((key) => timingSafeEqual(bytes, Buffer.from(signature(key, content))));
    if (!matches) throw new TidegateError('UNAUTHENTICATED', 'The signature does not match.');
  }
}

function signature(key: KeyObject, content: string): string {
  return createHmac('sha256', key).update(content).digest('base64url');
}

function callContent({ service, path, body }: Call, time: string): string {
  return JSON.stringify(['call', service, path, time, sha256(body)]);
}

/** Only the attributes of the CloudEvent are signed: brokers and tracers add headers of their own. */
function recordContent(topic: string, { key, value, headers }: CommandRecord): string {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce_'));
  const sorted = attributes.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(['record', topic, key, sorted, sha256(value ?? '')]);
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
