import {
  createHmac,
  createPrivateKey,
  createSecretKey,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';

/**
 * Signatures as Standard Webhooks has them (https://github.com/standard-webhooks/standard-webhooks): the signed bytes
 * are `id.timestamp.body`. A secret `whsec_…` signs by HMAC-SHA256 (`v1`), a private key `whsk_…` by Ed25519 (`v1a`).
 */
export interface Signer {
  /** One entry of the `webhook-signature` header. */
  sign(content: string): string;
}

const SECRET_BYTES = 32;
/** PKCS #8 (RFC 8410) for an Ed25519 key, up to the 32 bytes of the seed that follow. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;

export function createWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** The key is imported once: signing with a KeyObject is six times as fast as with the bytes. */
export function createSigner(secret: string): Signer {
  if (secret.startsWith('whsk_')) {
    const key = privateKey(secret.slice('whsk_'.length));
    return { sign: (content) => `v1a,${sign(null, Buffer.from(content), key).toString('base64')}` };
  }
  if (!secret.startsWith('whsec_')) throw new Error('a webhook secret begins with whsec_ or whsk_');
  const key = createSecretKey(Buffer.from(secret.slice('whsec_'.length), 'base64'));
  return { sign: (content) => `v1,${createHmac('sha256', key).update(content).digest('base64')}` };
}

/** Several signers give several signatures: a receiver accepts any, which is how secrets are rotated. */
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
