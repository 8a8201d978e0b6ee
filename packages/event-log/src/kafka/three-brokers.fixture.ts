import { spawn, type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, temporaryDirectory } from '@tidegate/testing';

export type BrokerId = 1 | 2 | 3;

export interface ThreeBrokers extends AsyncDisposable {
  readonly addresses: string[];
  start(id: BrokerId): void;
  /** SIGTERM hands the leadership over first, SIGKILL does not. Resolves when the process is gone. */
  stop(id: BrokerId, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  freeze(id: BrokerId): void;
  thaw(id: BrokerId): void;
}

const run = promisify(execFile);
const ids: readonly BrokerId[] = [1, 2, 3];
const jvm = ['-Xmx256m', '-Xms96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** A Kafka cluster of three small processes (each broker and controller) on ports and in a folder of its own. */
export async function startThreeBrokers(libs: string): Promise<ThreeBrokers> {
  const directory = await temporaryDirectory('tidegate-kafka-');
  const ports = await freePorts(6);
  const port = (id: BrokerId, role: 'broker' | 'controller'): number =>
    ports[(id - 1) * 2 + (role === 'broker' ? 0 : 1)] as number;
  const address = (id: BrokerId, role: 'broker' | 'controller'): string => `127.0.0.1:${port(id, role)}`;
  const classPath = ['-cp', join(libs, '*')];
  const running = new Map<BrokerId, ChildProcess>();

  function properties(id: BrokerId): string {
    return Object.entries({
      'process.roles': 'broker,controller',
      'node.id': id,
      'controller.quorum.voters': ids.map((voter) => `${voter}@${address(voter, 'controller')}`).join(),
      listeners: `PLAINTEXT://${address(id, 'broker')},CONTROLLER://${address(id, 'controller')}`,
      'advertised.listeners': `PLAINTEXT://${address(id, 'broker')}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': join(directory.path, `data-${id}`),
      'offsets.topic.replication.factor': 3,
      'offsets.topic.num.partitions': 3,
      'transaction.state.log.replication.factor': 3,
      'transaction.state.log.min.isr': 2,
      'share.coordinator.state.topic.replication.factor': 3,
      'share.coordinator.state.topic.min.isr': 2,
      'min.insync.replicas': 2,
      'group.initial.rebalance.delay.ms': 0,
      // Leaders go back to their preferred broker soon: that is the leader move with nobody down.
      'leader.imbalance.check.interval.seconds': 3,
      'replica.lag.time.max.ms': 5_000,
      'broker.session.timeout.ms': 4_000,
      'broker.heartbeat.interval.ms': 1_000,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
  }

  const file = (id: BrokerId): string => join(directory.path, `broker-${id}.properties`);

  async function format(): Promise<void> {
    const { stdout } = await run('java', [...jvm, ...classPath, 'kafka.tools.StorageTool', 'random-uuid']);
    const cluster = stdout.trim().split('\n').at(-1) as string;
    for (const id of ids) {
      writeFileSync(file(id), properties(id));
      const tool = [...jvm, ...classPath, 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', file(id)];
      await run('java', tool);
    }
  }

  function start(id: BrokerId): void {
    const child = spawn('java', [...jvm, ...classPath, 'kafka.Kafka', file(id)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = join(directory.path, `broker-${id}.log`);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => appendFileSync(log, chunk));
    }
    running.set(id, child);
  }

  async function stop(id: BrokerId, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = running.get(id);
    running.delete(id);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }

  const killAll = (): void => {
    for (const child of running.values()) child.kill('SIGKILL');
  };
  process.on('exit', killAll);

  await format();
  for (const id of ids) start(id);
  return {
    addresses: ids.map((id) => address(id, 'broker')),
    start,
    stop,
    freeze: (id) => void running.get(id)?.kill('SIGSTOP'),
    thaw: (id) => void running.get(id)?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await Promise.all(ids.map((id) => stop(id, 'SIGKILL')));
      process.off('exit', killAll);
      await directory.remove();
    },
  };
}
