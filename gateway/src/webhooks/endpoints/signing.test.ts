import { describe, expect, it } from 'vitest';
import { createSigner, createWebhookSecret, signatureHeaders } from './signing.ts';

const first = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampMs: 1_614_265_330_000,
  body: '{"test": 2432232314}',
};

describe('the Standard Webhooks signature', () => {
  it.each([
    {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      message: first,
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    {
      secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
      message: {
        id: 'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
        timestampMs: 1_649_367_553_000,
        body: '{"email":"test@example.com","username":"test_user"}',
      },
      signature: 'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=',
    },
    {
      secret: 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
      message: first,
      signature:
        'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    },
  ])('equals the published signature of $message.id under $secret', ({ secret, message, signature }) => {
    expect(signatureHeaders([createSigner(secret)], message)).toEqual({
      'webhook-id': message.id,
      'webhook-timestamp': String(message.timestampMs / 1000),
      'webhook-signature': signature,
    });
  });

  it('lists one signature per secret, separated by spaces', () => {
    const [one, two] = [createSigner(createWebhookSecret()), createSigner(createWebhookSecret())];
    const header = signatureHeaders([one, two], first)['webhook-signature'];
    expect(header.split(' ')).toEqual([
      signatureHeaders([one], first)['webhook-signature'],
      signatureHeaders([two], first)['webhook-signature'],
    ]);
  });

  it('uses secrets of 24 to 64 random bytes', () => {
    const bytes = Buffer.from(createWebhookSecret().slice('whsec_'.length), 'base64').length;
    expect(bytes).toBeGreaterThanOrEqual(24);
    expect(bytes).toBeLessThanOrEqual(64);
    expect(createWebhookSecret()).not.toBe(createWebhookSecret());
  });
});
