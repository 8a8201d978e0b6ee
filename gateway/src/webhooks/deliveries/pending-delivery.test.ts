import { describe, expect, it } from 'vitest';
import { webhookId } from './pending-delivery.ts';

describe('the webhook-id', () => {
  const change = { source: '/tidegate/counters', id: 'counter/42@7' };

  it('depends on the endpoint and the change alone, and differs when one of them differs', () => {
    const id = webhookId('whe_1', change);
    expect(webhookId('whe_1', { ...change })).toBe(id);
    expect(webhookId('whe_2', change)).not.toBe(id);
    expect(webhookId('whe_1', { ...change, id: 'counter/42@8' })).not.toBe(id);
    expect(webhookId('whe_1', { ...change, source: '/tidegate/other' })).not.toBe(id);
  });

  it('contains no dot, because the signed bytes are id.timestamp.body', () => {
    expect(webhookId('whe_1', { source: 'a.b', id: 'c.d' })).toMatch(/^msg_[A-Za-z0-9_-]{32}$/);
  });
});
