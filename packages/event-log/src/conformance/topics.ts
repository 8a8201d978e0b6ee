import { describe, expect, it } from 'vitest';
import { record, texts, useSubject, type CreateSubject } from './subject.ts';

export function describeTopics(create: CreateSubject): void {
  describe('topics', () => {
    const fixture = useSubject(create);

    it('An existing topic MUST keep its records when it is ensured again', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      await log.append(topic, [record('a', 'kept')]);
      await log.ensureTopics([{ name: topic, partitions: 1, cleanup: 'delete', retentionMs: 3_600_000 }]);
      const records = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 9, maxRecords: 9 });
      expect(texts(records)).toEqual(['kept']);
    });

    it('An existing topic MUST be used as it is, also with another number of partitions', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 2 });
      await log.ensureTopics([{ name: topic, partitions: 4, cleanup: 'delete', retentionMs: 1_000 }]);
      expect(await log.ends(topic)).toHaveLength(2);
    });

    it('Two processes MUST be able to ensure the same topics at the same time', async () => {
      const [one, two] = await Promise.all([fixture.open(), fixture.open()]);
      const spec = {
        name: fixture.name('raced'),
        partitions: 2,
        cleanup: 'compact',
        retentionMs: 60_000,
      } as const;
      await Promise.all([one.ensureTopics([spec]), two.ensureTopics([spec]), one.ensureTopics([spec])]);
      expect(await two.ends(spec.name)).toHaveLength(2);
    });

    it.each([
      ['a name with a space', { name: 'no good', partitions: 1 }],
      ['no partition', { name: 'none', partitions: 0 }],
    ])('An invalid topic MUST reject with BAD_REQUEST: %s', async (_, spec) => {
      const log = await fixture.open();
      const ensured = log.ensureTopics([{ ...spec, cleanup: 'delete', retentionMs: 1_000 }]);
      await expect(ensured).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    });

    it('The epoch MUST be the same string for every process and after a restart', async () => {
      const [one, two] = await Promise.all([fixture.open(), fixture.open()]);
      await one.ensureTopics([{ name: 'epochs', partitions: 1, cleanup: 'delete', retentionMs: 1_000 }]);
      const epoch = await one.epoch('epochs');
      expect(epoch).toMatch(/.+/);
      expect(await two.epoch('epochs')).toBe(epoch);
      await one.close();
      expect(await (await fixture.open()).epoch('epochs')).toBe(epoch);
    });

    it('ping MUST resolve when the log answers', async () => {
      const log = await fixture.open();
      await expect(log.ping(5_000)).resolves.toBeUndefined();
    });

    it('A closed log MUST reject with UNAVAILABLE, and closing twice MUST be one close', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      await Promise.all([log.close(), log.close()]);
      await expect(log.append(topic, [record('a', '1')])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(log.ends(topic)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(log.ping(100)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
