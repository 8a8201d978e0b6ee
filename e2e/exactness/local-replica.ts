import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Bff } from '@tidegate/bff';
import type { EventLog } from '@tidegate/event-log';
import { Gateway } from '@tidegate/gateway';
import { createServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState } from '@tidegate/shared-state';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { ConnectionClogs } from './connection-clogs.ts';
import { itemVerifier } from './item-token.ts';
import type { Mutant } from './mutants.ts';
import { CURSOR_SECRET, replicaLimits, type Replica } from './replica.ts';

export interface LocalReplicaOptions {
  readonly bff: Bff;
  readonly log: EventLog;
  /** Called before each read of the log. */
  readonly beforeRead?: () => Promise<void>;
  readonly mutant?: Mutant | undefined;
}

/** A gateway in this process behind a real HTTP server on loopback; SIGKILL is its sockets' sudden end. */
export async function startLocalReplica(options: LocalReplicaOptions): Promise<Replica> {
  const gate = createGate();
  const gateway = new Gateway({
    bffs: [options.bff],
    log: laggingLog(options.log, gate, options.beforeRead),
    client: createServiceClient({ services: {}, logger: silentLogger }),
    state: createMemorySharedState({ maxEntries: 1_000 }),
    verifier: itemVerifier,
    cursorSecrets: [CURSOR_SECRET],
    logger: silentLogger,
    metrics: createMetrics({ nodeMetrics: false }),
    routes: [],
    trustedOnly: false,
    limits: replicaLimits,
  });
  options.mutant?.hub?.(gateway.hub);
  const sockets = new Set<Socket>();
  const clogs = new ConnectionClogs();
  const server = createServer((request, response) => gateway.handle(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    clogs.add(socket);
    options.mutant?.socket?.(socket);
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    gateway.upgrade(request, socket, head);
  });
  await gateway.start(AbortSignal.timeout(10_000));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function stop(): Promise<void> {
    gate.open();
    server.close();
    await gateway.stop();
    for (const socket of sockets) socket.destroy();
  }

  function kill(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    return stop();
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kill,
    stop,
    release: kill,
    lag: (on) => (on ? gate.close() : gate.open()),
    clog: (port, on) => clogs.set(port, on),
  };
}

interface Gate {
  open(): void;
  close(): void;
  passed(): Promise<void>;
}

function createGate(): Gate {
  let shut: PromiseWithResolvers<void> | undefined;
  return {
    open: () => {
      shut?.resolve();
      shut = undefined;
    },
    close: () => {
      shut ??= Promise.withResolvers<void>();
    },
    passed: async () => {
      while (shut) await shut.promise;
    },
  };
}

/** The same log for both replicas, each with a pace of its own. */
function laggingLog(
  log: EventLog,
  gate: Gate,
  beforeRead: () => Promise<void> = () => Promise.resolve(),
): EventLog {
  return {
    ...log,
    tail: (options) =>
      log.tail({
        ...options,
        onRecords: async (records) => {
          await gate.passed();
          await options.onRecords(records);
        },
      }),
    read: async (options) => {
      await beforeRead();
      return log.read(options);
    },
  };
}
