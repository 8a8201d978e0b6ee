import { type Envelope, TidegateError } from '@tidegate/core';
import type { Tables, UnitOfWork } from '@tidegate/database';
import type { Transaction } from 'kysely';
import type { EventStoreTables } from './event-store-tables.ts';

export interface AppendOptions {
  /** Name of the stream, one per aggregate, e.g. `counters/42`. */
  readonly stream: string;
  /** Version of the stream that the decision was based on. 0 for a stream that does not exist yet. */
  readonly expectedVersion: number;
  /** Events in order. The `sequence` of each is the stream's version after it. */
  readonly events: readonly Envelope[];
}

/**
 * Appends events to a stream within the caller's transaction, and locks the stream's row until the commit. Outbox rows of
 * these events must be added AFTER this call, so that their ids follow the order of the stream.
 *
 * @throws TidegateError CONFLICT (retryable; details: `stream`, `expectedVersion`, `actualVersion`) when the stream has
 *   another version. The caller's transaction can still be used.
 * @throws TidegateError INTERNAL when the events' sequences do not follow `expectedVersion` without gaps.
 *
 * @example
 * await database.transaction(async (unit) => {
 *   const events = await readEvents(unit.tx, 'counters/42');
 *   const raised = createMessage(CounterRaised, {
 *     id: `counters/42@${events.length + 1}`,
 *     key: '42',
 *     sequence: events.length + 1,
 *     timeMs: Date.now(),
 *     data: { counterId: '42' },
 *   });
 *   await appendEvents(unit, { stream: 'counters/42', expectedVersion: events.length, events: [raised] });
 * });
 */
export async function appendEvents(unit: UnitOfWork<Tables>, options: AppendOptions): Promise<void> {
  const { stream, expectedVersion, events } = options;
  if (events.length === 0) return;
  assertDense(options);
  const tx = unit.tx as Transaction<EventStoreTables>;
  const version = expectedVersion + events.length;
  if (!(await moveStream(tx, stream, expectedVersion, version))) throw await conflictError(tx, options);
  const recordedAt = Date.now();
  const rows = events.map((envelope) => ({
    stream,
    version: envelope.sequence,
    envelope: JSON.stringify(envelope),
    recorded_at: recordedAt,
  }));
  await tx.insertInto('events').values(rows).execute();
}

/** Sets the stream's version. A concurrent writer waits here for the row's lock and then finds another version. */
async function moveStream(
  tx: Transaction<EventStoreTables>,
  stream: string,
  from: number,
  to: number,
): Promise<boolean> {
  if (from === 0) {
    const inserted = await tx
      .insertInto('streams')
      .values({ stream, version: to })
      .onConflict((conflict) => conflict.column('stream').doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }
  const updated = await tx
    .updateTable('streams')
    .set({ version: to })
    .where('stream', '=', stream)
    .where('version', '=', from)
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
}

async function conflictError(
  tx: Transaction<EventStoreTables>,
  { stream, expectedVersion }: AppendOptions,
): Promise<TidegateError> {
  const row = await tx
    .selectFrom('streams')
    .select('version')
    .where('stream', '=', stream)
    .executeTakeFirst();
  const actualVersion = row?.version ?? 0;
  return new TidegateError(
    'CONFLICT',
    `${stream} is at version ${actualVersion}, not at ${expectedVersion}: somebody else changed it first`,
    { details: { stream, expectedVersion, actualVersion } },
  );
}

function assertDense({ stream, expectedVersion, events }: AppendOptions): void {
  for (const [index, event] of events.entries()) {
    if (event.sequence === expectedVersion + index + 1) continue;
    throw new TidegateError(
      'INTERNAL',
      `${stream}: event ${index + 1} after version ${expectedVersion} has the sequence ${event.sequence}`,
    );
  }
}
