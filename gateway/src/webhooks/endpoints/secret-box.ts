import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { TidegateError } from '@tidegate/core';

const CIPHER = 'aes-256-gcm';
const PREFIX = 'enc1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_CHARACTERS = 8;

interface Key {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * Encrypts secrets at rest with AES-256-GCM. A sealed secret reads `enc1.<key id>.<iv, tag and ciphertext>`. The first
 * key seals, all open: a new key is put in front, and the old one is dropped when `isCurrent` holds for every secret.
 */
export class SecretBox {
  readonly #keys: readonly [Key, ...Key[]];

  /**
   * @param keys secrets of at least 32 characters, the newest first.
   * @throws TidegateError CONFIG_INVALID without keys, and for a shorter one.
   */
  constructor(keys: readonly string[]) {
    const [first, ...others] = keys.map((each) => deriveKey(each));
    if (!first) throw new TidegateError('CONFIG_INVALID', 'WEBHOOK_KEYS needs at least one key.');
    this.#keys = [first, ...others];
  }

  /** @param owner id of the row that holds the secret: in another row it does not open. */
  seal(secret: string, owner: string): string {
    const { id, key } = this.#keys[0];
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(owner));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return `${PREFIX}.${id}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
  }

  /**
   * Opens what `seal` returned. A secret from before encryption is returned as it is.
   *
   * @throws TidegateError CONFIG_INVALID when its key is not configured any more.
   * @throws TidegateError INTERNAL when it was altered or belongs to another owner.
   */
  open(sealed: string, owner: string): string {
    if (!sealed.startsWith(`${PREFIX}.`)) return sealed;
    const [, keyId, encoded = ''] = sealed.split('.');
    const known = this.#keys.find(({ id }) => id === keyId);
    if (!known) throw new TidegateError('CONFIG_INVALID', `WEBHOOK_KEYS lacks the key ${keyId}.`);
    try {
      return decrypt(known.key, Buffer.from(encoded, 'base64url'), owner);
    } catch (error) {
      throw new TidegateError('INTERNAL', 'A secret was altered, or belongs to another owner.', {
        cause: error,
      });
    }
  }

  /** Returns false for a secret that is not encrypted, or not with the newest key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`${PREFIX}.${this.#keys[0].id}.`);
  }
}

function decrypt(key: KeyObject, bytes: Buffer, owner: string): string {
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(owner))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString('utf8');
}

function deriveKey(secret: string): Key {
  if (secret.length < KEY_BYTES)
    throw new TidegateError('CONFIG_INVALID', 'A key of WEBHOOK_KEYS has at least 32 characters.');
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', 'tidegate webhook secrets', KEY_BYTES));
  const id = createHash('sha256').update(bytes).digest('base64url').slice(0, KEY_ID_CHARACTERS);
  return { id, key: createSecretKey(bytes) };
}
