import fc from 'fast-check';
import { expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { GatewayFixture } from './gateway.fixture.ts';
import { createLiveClient, type ResetReason } from './index.ts';

const KEYS = 5;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), keys: fc.array(fc.nat(KEYS - 1)) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('drop' as const),
      code: fc.constantFrom(undefined, 1000, 1012, 4408, 4508, 4509),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('positions' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('freeze' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('upgrades' as const), blocked: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(25) }) },
);

/** To replay a failure, set the seed and path that fast-check prints. */
const parameters: { seed: number; numRuns: number } = {
  seed: 20_261_123,
  numRuns: 40,
};

it(
  'loses nothing, repeats nothing and keeps the order through random drops, freezes and blocked upgrades',
  { timeout: 120_000 },
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 30 }),
        fc.boolean(),
        fc.constantFrom('each' as const, 'shared' as const),
        async (steps, blocked, streams) => {
          const gateway = new GatewayFixture();
          gateway.sendsIdleCursors = true;
          gateway.blocksUpgrades = blocked;
          await gateway.listen();
          const seen: string[] = [];
          const resets: ResetReason[] = [];
          const client = createLiveClient({
            url: gateway.url,
            token: () => Promise.resolve('secret'),
            backoff: { firstMs: 2, maxMs: 8 },
            heartbeatMs: 40,
            connectTimeoutMs: 60,
            fallbackAfterFailures: 2,
            webSocketRetryMs: 15,
            streams,
          });
          try {
            client.subscribe({
              query: 'subscription { changes }',
              onResult: ({ extensions }) => seen.push(`${extensions?.key}@${extensions?.version}`),
              onReset: (reason) => resets.push(reason),
            });
            await until(() => client.phase === 'live', { what: 'live' });
            resets.length = 0;
            const versions = Array.from({ length: KEYS }, () => 0);
            for (const each of steps) {
              if (each.do === 'publish') {
                for (const key of each.keys)
                  gateway.publish(`k${key}`, (versions[key] = (versions[key] ?? 0) + 1));
              } else if (each.do === 'drop') gateway.drop(each.code);
              else if (each.do === 'positions') gateway.sendIdleCursors();
              else if (each.do === 'freeze') gateway.freeze();
              else if (each.do === 'upgrades') gateway.blocksUpgrades = each.blocked;
              else await new Promise((resolve) => setTimeout(resolve, each.ms));
              gateway.isFrozen = each.do === 'freeze';
            }
            gateway.isFrozen = false;
            gateway.publish('last', 1);
            await until(() => seen.includes('last@1'), { what: 'the last change' });
            expect(seen).toEqual(gateway.log.map(({ key, version }) => `${key}@${version}`));
            expect(resets).toEqual([]);
          } finally {
            client.close();
            await gateway.close();
          }
        },
      ),
      parameters,
    ),
);
