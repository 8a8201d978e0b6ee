import { type Envelope, TidegateError } from '@tidegate/core';
import type { Tables, UnitOfWork } from '@tidegate/database';
import type { Transaction } from 'kysely';
import type { EventStoreTables } from './event-store-tables.ts';

export interface AppendOptions {
  /** The aggregate, e.g. `counters/42`. */
  readonly stream: string;
  /** The version that the decision was made on; 0 for a stream that does not exist yet. */
  readonly expectedVersion: number;
  /** In order; each one's `sequence` is the stream's version after it. */
  readonly events: readonly Envelope[];
}

/**
 * Appends to a stream within the caller's transaction and holds the stream's row until the commit. Outbox rows of
 * these events are added AFTER this call: then they get their ids in the stream's order.
 *
 * @throws TidegateError CONFLICT (retryable; details: stream, expectedVersion, actualVersion) when somebody else
 * appended first. The caller's transaction can still be used.
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

/** The row's lock comes first; whoever is second waits here and then finds another version. */
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
