import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { record } from './conformance/subject.ts';
import { measureEventLog } from './measured-event-log.ts';
import { createSqliteEventLog } from './sqlite.ts';

const spec = { name: 'topic', partitions: 1, cleanup: 'delete', retentionMs: 3_600_000 } as const;

describe('the errors of a log', () => {
  it('are counted by operation and code, and rejected as they are', async () => {
    const metrics = createMetrics({ nodeMetrics: false });
    const log = measureEventLog(createSqliteEventLog({ path: ':memory:', logger: silentLogger }), metrics);
    await log.ensureTopics([spec]);
    await log.append('topic', [record('a', '1')]);
    expect((await metrics.render()).body).not.toContain('tidegate_log_errors_total{');
    await expect(log.append('missing', [record('a', '1')])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await log.close();
    await expect(log.ends('topic')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const { body } = await metrics.render();
    expect(body).toContain('tidegate_log_errors_total{operation="append",code="NOT_FOUND"} 1');
    expect(body).toContain('tidegate_log_errors_total{operation="ends",code="UNAVAILABLE"} 1');
  });

  it('are counted while a group recovers from them', async () => {
    const metrics = createMetrics({ nodeMetrics: false });
    const log = measureEventLog(createSqliteEventLog({ path: ':memory:', logger: silentLogger }), metrics);
    await log.ensureTopics([spec]);
    await log.append('topic', [record('a', '1')]);
    const told: Error[] = [];
    let isFailing = true;
    await log.consume({
      group: 'g',
      topics: ['topic'],
      handler: async () => {
        if (isFailing) throw new Error('not now');
      },
      onError: (error) => {
        isFailing = false;
        told.push(error);
      },
    });
    await until(async () => (await log.lag('g', 'topic'))[0]?.lag === 0, { what: 'the group recovers' });
    expect(told).toHaveLength(1);
    expect((await metrics.render()).body).toContain(
      'tidegate_log_errors_total{operation="consume",code="INTERNAL"} 1',
    );
    await log.close();
  });
});
