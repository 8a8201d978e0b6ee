import { describe, expect, it } from 'vitest';
import { AbortedTransactions } from './aborted-transactions.ts';
import { markAborted } from './mark-aborted-records.ts';

const ABORT = Buffer.from([0, 0, 0, 0]);
const COMMIT = Buffer.from([0, 0, 0, 1]);

/** A record for each batch: `producer offset`, then `!` for an abort marker, `+` for a commit marker. */
type Batch = `${number} ${number}${'' | '!' | '+'}`;

function parse(batch: Batch) {
  const [, producerId, offset, marker] = /^(\d+) (\d+)([!+]?)$/.exec(batch)!;
  return {
    producerId: producerId!,
    offset: offset!,
    key: marker === '!' ? ABORT : marker === '+' ? COMMIT : undefined,
  };
}

function delivered(
  aborted: readonly [producer: number, first: number][],
  batches: readonly Batch[],
): Batch[] {
  const transactions = new AbortedTransactions(
    aborted.map(([producer, first]) => ({ producerId: BigInt(producer), firstOffset: BigInt(first) })),
  );
  return batches.filter((batch) => {
    const { producerId, offset, key } = parse(batch);
    const isAborted = transactions.includes({
      producerId: BigInt(producerId),
      lastOffset: BigInt(offset),
      isTransactional: true,
      controlKey: key,
    });
    return !isAborted && key === undefined;
  });
}

describe('the records of aborted transactions', () => {
  it('end with the marker of their producer: its next transaction is delivered', () => {
    expect(delivered([[1, 0]], ['1 0', '1 1', '1 2!', '1 3', '1 4+'])).toEqual(['1 3']);
  });

  it('are those of their producer alone', () => {
    expect(delivered([[1, 0]], ['1 0', '2 1', '1 2', '2 3+', '1 4!'])).toEqual(['2 1']);
  });

  it('of several producers may begin before the first batch of an answer', () => {
    expect(
      delivered(
        [
          [1, 3],
          [2, 1],
        ],
        ['2 10', '1 11', '2 12!', '1 13!', '2 14'],
      ),
    ).toEqual(['2 14']);
  });

  it('begin at their first offset, past the ninth as well', () => {
    expect(delivered([[1, 10]], ['1 8', '1 9+', '1 10', '1 11!'])).toEqual(['1 8']);
  });

  it('of kafkajs are marked as control records; a key of four zero bytes is no marker', () => {
    const context = { producerId: '1', inTransaction: true };
    const messages = [
      { offset: '0', key: ABORT, batchContext: context },
      { offset: '1', key: null, batchContext: context },
      { offset: '2', key: ABORT, isControlRecord: true, batchContext: context },
      { offset: '3', key: null, batchContext: context },
      { offset: '4', key: null },
    ];
    const partition = { abortedTransactions: [{ producerId: '1', firstOffset: '0' }], messages };
    markAborted(partition);
    expect(messages.map(({ isControlRecord = false }) => isControlRecord)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(partition.abortedTransactions).toEqual([]);
  });
});
