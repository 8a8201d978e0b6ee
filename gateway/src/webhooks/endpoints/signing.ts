/**
 * Signatures of webhook messages, as Standard Webhooks defines them
 * (https://github.com/standard-webhooks/standard-webhooks).
 *
 * - The signed bytes are `id.timestamp.body`.
 * - A secret `whsec_…` signs with HMAC-SHA256 (`v1`), a private key `whsk_…` with Ed25519 (`v1a`).
 * - A receiver accepts a message when one signature of the list is valid. That allows rotation: for one day a replaced
 *   secret signs as well.
 */
import {
  createHmac,
  createPrivateKey,
  createSecretKey,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import type { EndpointRow } from '../tables.ts';
import { olderSecretsOf } from './older-secrets.ts';
import type { SecretBox } from './secret-box.ts';

export interface Signer {
  /** Returns one entry of the `webhook-signature` header. */
  sign(content: string): string;
}

const SECRET_BYTES = 32;
/** PKCS #8 (RFC 8410) of an Ed25519 key, up to the 32 bytes of the seed that follow. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;

export function createWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Imports the key once: signing with a KeyObject is six times as fast as with the bytes. */
export function createSigner(secret: string): Signer {
  if (secret.startsWith('whsk_')) {
    const key = privateKey(secret.slice('whsk_'.length));
    return { sign: (content) => `v1a,${sign(null, Buffer.from(content), key).toString('base64')}` };
  }
  if (!secret.startsWith('whsec_')) throw new Error('a webhook secret begins with whsec_ or whsk_');
  const key = createSecretKey(Buffer.from(secret.slice('whsec_'.length), 'base64'));
  return { sign: (content) => `v1,${createHmac('sha256', key).update(content).digest('base64')}` };
}

/** Returns a function that gives the signers of the secrets that are valid at a time. */
export function createEndpointSigners(
  row: Pick<EndpointRow, 'id' | 'secret' | 'older_secrets'>,
  box: SecretBox,
): (nowMs: number) => readonly Signer[] {
  const current = createSigner(box.open(row.secret, row.id));
  const older = olderSecretsOf(row).map(({ secret, until }) => ({
    signer: createSigner(box.open(secret, row.id)),
    until,
  }));
  return (nowMs) => [current, ...older.filter(({ until }) => nowMs < until).map(({ signer }) => signer)];
}

/** Returns the headers that identify and sign a message. */
export function signatureHeaders(
  signers: readonly Signer[],
  message: { readonly id: string; readonly timestampMs: number; readonly body: string },
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(message.timestampMs / 1000));
  const content = `${message.id}.${timestamp}.${message.body}`;
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signers.map((signer) => signer.sign(content)).join(' '),
  };
}

function privateKey(base64: string): KeyObject {
  const seed = Buffer.from(base64, 'base64').subarray(0, SEED_BYTES);
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
