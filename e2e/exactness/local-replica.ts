import type { Socket } from 'node:net';
import type { Bff } from '@tidegate/bff';
import type { EventLog } from '@tidegate/event-log';
import { createGateway } from '@tidegate/gateway';
import { startHttpServer } from '@tidegate/runtime/http';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { override } from '@tidegate/testing';
import { ConnectionClogs } from './connection-clogs.ts';
import { itemVerifier } from './item-token.ts';
import type { Mutant } from './mutants.ts';
import { CURSOR_SECRET, replicaLimits, type Replica } from './replica.ts';

export interface LocalReplicaOptions {
  readonly bff: Bff;
  readonly log: EventLog;
  /** Awaited before each read of the log. */
  readonly beforeRead?: () => Promise<void>;
  readonly mutant?: Mutant | undefined;
}

/** Starts a gateway in this process behind an HTTP server on loopback. `kill` destroys its sockets. */
export async function startLocalReplica(options: LocalReplicaOptions): Promise<Replica> {
  const gate = new Gate();
  const sockets = new Set<Socket>();
  const clogs = new ConnectionClogs();
  const server = await startHttpServer({ logger: silentLogger });
  server.onConnection((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    clogs.add(socket);
    options.mutant?.socket?.(socket);
  });
  const gateway = createGateway({
    bffs: [options.bff],
    log: laggingLog(options.log, gate, options.beforeRead),
    auth: itemVerifier,
    cursorSecrets: [CURSOR_SECRET],
    trustedOnly: false,
    limits: replicaLimits,
    server,
  });
  options.mutant?.hub?.(gateway.hub);
  await gateway.start(AbortSignal.timeout(10_000));

  async function stop(): Promise<void> {
    gate.open();
    await gateway.stop();
    await server.stop(0);
  }

  function kill(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    return stop();
  }

  return {
    url: server.url,
    kill,
    stop,
    release: kill,
    lag: (on) => (on ? gate.close() : gate.open()),
    clog: (port, on) => clogs.set(port, on),
  };
}

/** Holds back a tail while it is closed. */
class Gate {
  #closed: PromiseWithResolvers<void> | undefined;

  open(): void {
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  close(): void {
    this.#closed ??= Promise.withResolvers<void>();
  }

  async untilOpen(): Promise<void> {
    while (this.#closed) await this.#closed.promise;
  }
}

/** Wraps the log that both replicas share, so that the tail of one can lag behind. */
function laggingLog(
  log: EventLog,
  gate: Gate,
  beforeRead: () => Promise<void> = () => Promise.resolve(),
): EventLog {
  return override(log, {
    tail: (options) =>
      log.tail({
        ...options,
        onRecords: async (records) => {
          await gate.untilOpen();
          await options.onRecords(records);
        },
      }),
    read: async (options) => {
      await beforeRead();
      return log.read(options);
    },
  });
}
