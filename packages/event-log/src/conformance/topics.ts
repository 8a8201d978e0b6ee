import { describe, expect, it } from 'vitest';
import { record, texts, useSubject, type CreateSubject } from './subject.ts';

export function describeTopics(create: CreateSubject): void {
  describe('topics', () => {
    const bench = useSubject(create);

    it('an existing topic keeps its records when it is ensured again', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 1 });
      await log.append(topic, [record('a', 'kept')]);
      await log.ensureTopics([{ name: topic, partitions: 1, cleanup: 'delete', retentionMs: 3_600_000 }]);
      const records = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 9, maxRecords: 9 });
      expect(texts(records)).toEqual(['kept']);
    });

    it('asking for another number of partitions than it has rejects with CONFLICT', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 2 });
      const again = log.ensureTopics([{ name: topic, partitions: 4, cleanup: 'delete', retentionMs: 1_000 }]);
      await expect(again).rejects.toMatchObject({ code: 'CONFLICT', details: { partitions: 2 } });
    });

    it('two processes may ensure the same topics at the same time', async () => {
      const [one, two] = await Promise.all([bench.open(), bench.open()]);
      const spec = {
        name: bench.name('raced'),
        partitions: 2,
        cleanup: 'compact',
        retentionMs: 60_000,
      } as const;
      await Promise.all([one.ensureTopics([spec]), two.ensureTopics([spec]), one.ensureTopics([spec])]);
      expect(await two.ends(spec.name)).toHaveLength(2);
    });

    it.each([
      ['a name with a space', { name: 'no good', partitions: 1 }],
      ['no partition at all', { name: 'none', partitions: 0 }],
    ])('a topic with %s rejects with BAD_REQUEST', async (_, spec) => {
      const log = await bench.open();
      const ensured = log.ensureTopics([{ ...spec, cleanup: 'delete', retentionMs: 1_000 }]);
      await expect(ensured).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    });

    it('the epoch is the same string for every process and after a restart', async () => {
      const [one, two] = await Promise.all([bench.open(), bench.open()]);
      const epoch = await one.epoch();
      expect(epoch).toMatch(/.+/);
      expect(await two.epoch()).toBe(epoch);
      await one.close();
      expect(await (await bench.open()).epoch()).toBe(epoch);
    });

    it('ping resolves when the log answers', async () => {
      const log = await bench.open();
      await expect(log.ping(5_000)).resolves.toBeUndefined();
    });

    it('a closed log rejects with UNAVAILABLE, and closing twice is one close', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log);
      await Promise.all([log.close(), log.close()]);
      await expect(log.append(topic, [record('a', '1')])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(log.ends(topic)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(log.ping(100)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
