import { describe, expect, it } from 'vitest';
import { SecretBox } from './secret-box.ts';

const [older, newer] = ['o'.repeat(32), 'n'.repeat(32)];
const secret = 'whsec_c2VjcmV0';

describe('a secret at rest', () => {
  it('opens for its owner, and does not contain the secret', () => {
    const box = new SecretBox([older]);
    const sealed = box.seal(secret, 'whe_1');
    expect(sealed).not.toContain(secret.slice('whsec_'.length));
    expect(box.seal(secret, 'whe_1')).not.toBe(sealed);
    expect(box.open(sealed, 'whe_1')).toBe(secret);
  });

  it('does not open for another owner, nor after an alteration', () => {
    const box = new SecretBox([older]);
    const sealed = box.seal(secret, 'whe_1');
    expect(() => box.open(sealed, 'whe_2')).toThrow('was altered');
    const [prefix, id, encoded] = sealed.split('.') as [string, string, string];
    const bytes = Buffer.from(encoded, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const altered = Buffer.from(bytes);
      altered[index]! ^= 1;
      expect(() => box.open(`${prefix}.${id}.${altered.toString('base64url')}`, 'whe_1')).toThrow(
        'was altered',
      );
    }
    expect(() => box.open(`${prefix}.${id}.`, 'whe_1')).toThrow('was altered');
  });

  it('opens with every configured key, and is current with the newest only', () => {
    const sealed = new SecretBox([older]).seal(secret, 'whe_1');
    const both = new SecretBox([newer, older]);
    expect(both.open(sealed, 'whe_1')).toBe(secret);
    expect(both.isCurrent(sealed)).toBe(false);
    expect(both.isCurrent(both.seal(secret, 'whe_1'))).toBe(true);
    expect(() => new SecretBox([newer]).open(sealed, 'whe_1')).toThrow('WEBHOOK_KEYS lacks the key');
  });

  it('from before encryption is read as it is, and is not current', () => {
    const box = new SecretBox([older]);
    expect(box.open(secret, 'whe_1')).toBe(secret);
    expect(box.isCurrent(secret)).toBe(false);
  });

  it.each([[[]], [['short']]])('needs keys of at least 32 characters, not %j', (keys) => {
    expect(() => new SecretBox(keys)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
