import { CounterRaised, AlarmRaised, sampleTopics } from '@tidegate/testing/sample-messages';
import { createMessage, decodeEnvelope, encodeEnvelope } from '@tidegate/core';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createOutbox, outboxMigrations, type OutboxTables } from '@tidegate/messaging';
import { silentLogger as logger } from '@tidegate/runtime/telemetry';
import { override, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createService, type Stoppable } from './service.ts';

const messageOf = (definition: typeof CounterRaised | typeof AlarmRaised, sequence: number) =>
  createMessage(definition, {
    id: `o1@${sequence}`,
    key: 'o1',
    sequence,
    timeMs: 1_700_000_000_000,
    data: { counterId: 'o1' },
  });

/** Creates a service that adds AlarmRaised for each CounterRaised, and records its calls to log and database in order. */
async function service(beforeConsuming?: () => Stoppable | Promise<void>) {
  const directory = await temporaryDirectory();
  const database = createSqliteDatabase<OutboxTables>({ path: `${directory.path}/service.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  const steps: string[] = [];
  const outbox = createOutbox({ database });
  const watchedLog = override(log, {
    async ensureTopics(specs) {
      steps.push(`topics ${specs.map(({ name, partitions }) => `${name}/${partitions}`).join(' ')}`);
      await log.ensureTopics(specs);
    },
    async consume(options) {
      steps.push(`consume as ${options.group}`);
      return watched('consuming', await log.consume(options), steps);
    },
  });
  const { signals } = database;
  const watchedDatabase = override(database, {
    signals: override(signals, {
      async listen(channel, onSignal) {
        steps.push('relay');
        const stopListening = await signals.listen(channel, onSignal);
        return watched('relaying', { stop: stopListening }, steps).stop;
      },
    }),
  });
  const created = createService({
    name: 'test',
    dependencies: { database: watchedDatabase, log: watchedLog, logger, partitions: 1 },
    migrations: outboxMigrations,
    outbox,
    ownedTopics: [sampleTopics.alarmEvents, sampleTopics.counterEvents],
    consumed: [CounterRaised, AlarmRaised],
    handle: async (message, unit) => {
      if (message.name !== 'CounterRaised') return;
      await outbox.add(unit, sampleTopics.alarmEvents, [messageOf(AlarmRaised, 2)]);
    },
    ...(beforeConsuming && { beforeConsuming }),
  });
  return {
    start: () => created.start(),
    stop: () => created.stop(),
    steps,
    log,
    async [Symbol.asyncDispose]() {
      await created.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

function watched<T extends Stoppable>(name: string, stoppable: T, steps: string[]): T {
  return {
    ...stoppable,
    async stop() {
      await stoppable.stop();
      steps.push(`${name} stopped`);
    },
  };
}

const started = ['topics alarms.events/1 counters.events/1 dead-letters/1 dead-letters.redriven/1', 'relay'];

describe('a service', () => {
  it('creates each topic once, relays, starts its own work, then consumes; and stops in reverse', async () => {
    const work = { stop: async () => {} };
    await using test = await service(() => {
      test.steps.push('work');
      return watched('work', work, test.steps);
    });
    await test.start();
    expect(test.steps.splice(0)).toEqual([...started, 'work', 'consume as test']);
    await test.stop();
    await test.stop();
    expect(test.steps).toEqual(['consuming stopped', 'work stopped', 'relaying stopped']);
  });

  it('publishes the messages that it adds to its outbox while handling one', async () => {
    await using test = await service();
    await test.start();
    await test.log.append(sampleTopics.counterEvents.name, [encodeEnvelope(messageOf(CounterRaised, 1))]);
    const range = {
      topic: sampleTopics.alarmEvents.name,
      partition: 0,
      fromOffset: 0,
      toOffset: 10,
      maxRecords: 10,
    };
    const [record] = await until(
      async () => {
        const records = await test.log.read(range);
        return records.length > 0 ? records : undefined;
      },
      { what: 'the answer is published' },
    );
    expect(decodeEnvelope(record!).type).toBe(AlarmRaised.type);
  });

  it('waits for its own work before it consumes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await using test = await service(() => {
      begun.resolve();
      return promise;
    });
    const starting = test.start();
    await begun.promise;
    expect(test.steps).toEqual(started);
    resolve();
    await starting;
    expect(test.steps).toEqual([...started, 'consume as test']);
  });

  it('stops the parts that a failed start has begun', async () => {
    await using test = await service(() => Promise.reject(new Error('no stock')));
    await expect(test.start()).rejects.toThrow('no stock');
    await test.stop();
    expect(test.steps).toEqual([...started, 'relaying stopped']);
  });
});
