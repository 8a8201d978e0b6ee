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

/** A client stops reading before its snapshot has come; how long it had until then is tried out. */
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

/** What random scripts have found, as small as they could be made: each was a fault once. */
describe('what was found by random scripts and mended', () => {
  it.each([
    [
      // The replay read the log without the tail's forbearance: one bad record refused every resume across it.
      'goes on after a cursor across a record that nobody can read',
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
      // The replay read the log up to where the history began by then, and so beyond where the client had joined the
      // live changes: those came from the log and once more from the group.
      'sends nothing twice when the history moves on during a replay from the log',
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
      // The replay handed over two hundred messages before it looked whether the connection had room: it was closed
      // as slow, came back with the same cursor, and so on for ever.
      'goes on after a cursor when more was missed than a connection may have waiting',
      flooded(40_000),
    ],
    [
      // The bound was held against a message that nothing waited before: a client could never come past it.
      'goes on across a message that is larger than the bound of what may wait',
      flooded(300_000),
    ],
    [
      // The same with a small message in front of the large one: together they were too much.
      'goes on across a large message that comes right after a small one',
      flooded(250_000, 3),
    ],
    [
      // Of what waited only the newest change of the key was kept, and the snapshot was taken for an older one.
      'sends the snapshot first however much waits behind it, and says what is missing after it',
      stalledAtOnce('websocket'),
    ],
    ['does so over SSE as well', stalledAtOnce('sse')],
  ] as const)('%s', async (_why, found) => {
    const { messages } = await runLocally(found, { levelMs: 5_000 });
    expect(messages).toBeGreaterThan(0);
  });
});
