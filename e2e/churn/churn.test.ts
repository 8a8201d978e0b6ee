/** Promise: clients that connect, reload or vanish leave nothing behind in the gateway. */
import { describe, expect, it } from 'vitest';
import { churn, growth } from '../../bench/churn/churn.ts';

const ROUNDS = 3;

describe('clients that connect, subscribe, reload, vanish and stay half open', () => {
  it(
    'leave no subscription, group, connection, timer, socket or listener behind',
    { timeout: 120_000 },
    async () => {
      const churned = await churn({
        clientsPerRound: 60,
        warmUpRounds: 1,
        keepGoing: (rounds) => rounds < ROUNDS,
        log: () => undefined,
      });
      expect(churned.clients).toBe(ROUNDS * 60);
      expect(churned.cutOff).toBeLessThan(churned.clients / 10);
      expect(churned.messages).toBeGreaterThan(churned.clients * 3);
      const { heapGrowthMb, ...counts } = growth(churned);
      expect(counts).toEqual({
        subscriptions: 0,
        groups: 0,
        connections: 0,
        activeResources: 0,
        listeners: 0,
      });
      // A short run detects only gross heap leaks.
      expect(heapGrowthMb).toBeLessThan(20);
    },
  );
});
