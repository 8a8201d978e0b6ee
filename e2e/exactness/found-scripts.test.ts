import { describe, expect, it } from 'vitest';
import type { OperationSpec } from './expected-view.ts';
import { runLocally } from './local-world.ts';
import type { ClientSpec } from './resuming-client.ts';
import type { Script, Step } from './script.ts';

const watchA = { field: 'item', overflow: 'close', key: 'a', slow: false } as const;

function client(operation: OperationSpec, transport: ClientSpec['transport'] = 'websocket'): ClientSpec {
  return { transport, tokenLifetimeMs: 3_600_000, operations: [operation] };
}

function write(key: string, relay: 'later' | 'once' | 'twice' = 'once', malformed = 0): Step {
  return { kind: 'write', keys: [key], relay, malformed };
}

function script(steps: readonly Step[], parts: Partial<Script> = {}): Script {
  return { clients: [client(watchA)], early: [false], delays: [0], ...parts, steps };
}

/** A client is away while five megabytes are published. */
function flooded(itemBytes: number, smallBefore = 0): Script {
  return script([
    { kind: 'connect', client: 0, replica: 0 },
    { kind: 'wait', turns: 40 },
    { kind: 'vanish', client: 0 },
    ...Array.from({ length: smallBefore }, () => write('a')),
    { kind: 'flood', key: 'a', itemBytes },
    { kind: 'connect', client: 0, replica: 0 },
  ]);
}

/** Clients that stop reading before their snapshot has come, each after another number of turns. */
function stalledAtOnce(transport: ClientSpec['transport']): Script {
  const spec = client({ ...watchA, overflow: 'latest-per-key' }, transport);
  const steps = Array.from({ length: 12 }, (_, turns): Step[] => [
    { kind: 'connect', client: turns, replica: 0 },
    { kind: 'wait', turns: turns + 1 },
    { kind: 'stall', client: turns, others: [], itemBytes: 300_000 },
  ]);
  const clients = steps.map(() => spec);
  return { clients, early: clients.map(() => false), delays: [0, 5, 0], steps: steps.flat() };
}

/** Shrunk scripts that once violated exactness. */
describe('a script that once violated exactness', () => {
  it.each([
    [
      // The replay did not skip malformed records as the tail does: one bad record refused every resume across it.
      'resumes from a cursor across a malformed record',
      script([
        { kind: 'connect', client: 0, replica: 0 },
        { kind: 'wait', turns: 40 },
        { kind: 'vanish', client: 0 },
        write('a', 'once', 2),
        write('a', 'once', 1),
        { kind: 'burst', key: 'a', count: 30 },
        { kind: 'restart', replica: 0, back: true },
        { kind: 'connect', client: 0, replica: 0 },
      ]),
    ],
    [
      // The replay read the log up to the start of the history, which had moved beyond the fence meanwhile. The changes
      // after the fence came from the log and again from the group.
      'delivers nothing twice when the history evicts changes during a replay from the log',
      script(
        [
          { kind: 'connect', client: 0, replica: 0 },
          { kind: 'wait', turns: 40 },
          write('a'),
          { kind: 'wait', turns: 40 },
          { kind: 'vanish', client: 0 },
          { kind: 'burst', key: 'a', count: 30 },
          { kind: 'wait', turns: 10 },
          { kind: 'connect', client: 0, replica: 0 },
          ...Array.from({ length: 60 }, (): Step[] => [write('a'), { kind: 'wait', turns: 1 }]).flat(),
        ],
        { delays: [12], clients: [client({ ...watchA, field: 'itemChanges' })] },
      ),
    ],
    [
      // The replay delivered two hundred messages before it checked for backpressure. The connection was closed as slow,
      // the client resumed from the same cursor, and so on without end.
      'resumes when the missed messages exceed the limit of the outbound queue',
      flooded(40_000),
    ],
    [
      // The limit was applied to a single message in an empty queue: the client could never receive it.
      'resumes across a message that is larger than the limit of the outbound queue',
      flooded(300_000),
    ],
    [
      // The same with a small message before the large one: together they exceeded the limit.
      'resumes across a large message right after a small one',
      flooded(250_000, 3),
    ],
    [
      // Only the newest queued change of the key was kept. The snapshot counted as an older change and was dropped.
      'delivers the snapshot first, then counts the changes dropped after it',
      stalledAtOnce('websocket'),
    ],
    ['delivers the snapshot first over SSE as well', stalledAtOnce('sse')],
  ] as const)('%s', async (_why, found) => {
    const { messages } = await runLocally(found, { completeWithinMs: 5_000 });
    expect(messages).toBeGreaterThan(0);
  });
});
