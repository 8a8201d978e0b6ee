import { spawn, type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, temporaryDirectory } from '@tidegate/testing';

export type BrokerId = 1 | 2 | 3;

const run = promisify(execFile);
const ids: readonly BrokerId[] = [1, 2, 3];
const jvm = ['-Xmx256m', '-Xms96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

type Role = 'broker' | 'controller';

/**
 * Starts a Kafka cluster of three small processes, each a broker and a controller, on free ports and in a temporary
 * folder.
 *
 * @param libs Folder with Kafka's jars.
 */
export async function startThreeBrokers(libs: string): Promise<ThreeBrokers> {
  const directory = await temporaryDirectory('tidegate-kafka-');
  const brokers = new ThreeBrokers(libs, directory, await freePorts(6));
  await brokers.format();
  for (const id of ids) brokers.start(id);
  return brokers;
}

export class ThreeBrokers implements AsyncDisposable {
  readonly addresses: string[];
  readonly #classPath: readonly string[];
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly #ports: readonly number[];
  readonly #running = new Map<BrokerId, ChildProcess>();
  readonly #killAll = (): void => {
    for (const child of this.#running.values()) child.kill('SIGKILL');
  };

  constructor(
    libs: string,
    directory: Awaited<ReturnType<typeof temporaryDirectory>>,
    ports: readonly number[],
  ) {
    this.#classPath = ['-cp', join(libs, '*')];
    this.#directory = directory;
    this.#ports = ports;
    this.addresses = ids.map((id) => this.#address(id, 'broker'));
    process.on('exit', this.#killAll);
  }

  /** Formats the data folder of each broker for one new cluster. */
  async format(): Promise<void> {
    const tool = [...jvm, ...this.#classPath, 'kafka.tools.StorageTool'];
    const { stdout } = await run('java', [...tool, 'random-uuid']);
    const cluster = stdout.trim().split('\n').at(-1) as string;
    for (const id of ids) {
      writeFileSync(this.#propertiesFile(id), this.#properties(id));
      await run('java', [...tool, 'format', '-t', cluster, '-c', this.#propertiesFile(id)]);
    }
  }

  start(id: BrokerId): void {
    const command = [...jvm, ...this.#classPath, 'kafka.Kafka', this.#propertiesFile(id)];
    const child = spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = join(this.#directory.path, `broker-${id}.log`);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => appendFileSync(log, chunk));
    }
    this.#running.set(id, child);
  }

  /** Resolves when the process has ended. SIGTERM hands the leadership over first, SIGKILL does not. */
  async stop(id: BrokerId, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#running.get(id);
    this.#running.delete(id);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  /** Suspends the process without closing its connections. */
  freeze(id: BrokerId): void {
    this.#running.get(id)?.kill('SIGSTOP');
  }

  thaw(id: BrokerId): void {
    this.#running.get(id)?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(ids.map((id) => this.stop(id, 'SIGKILL')));
    process.off('exit', this.#killAll);
    await this.#directory.remove();
  }

  #address(id: BrokerId, role: Role): string {
    return `127.0.0.1:${this.#ports[(id - 1) * 2 + (role === 'broker' ? 0 : 1)]}`;
  }

  #propertiesFile(id: BrokerId): string {
    return join(this.#directory.path, `broker-${id}.properties`);
  }

  #properties(id: BrokerId): string {
    return Object.entries({
      'process.roles': 'broker,controller',
      'node.id': id,
      'controller.quorum.voters': ids.map((voter) => `${voter}@${this.#address(voter, 'controller')}`).join(),
      listeners: `PLAINTEXT://${this.#address(id, 'broker')},CONTROLLER://${this.#address(id, 'controller')}`,
      'advertised.listeners': `PLAINTEXT://${this.#address(id, 'broker')}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': join(this.#directory.path, `data-${id}`),
      'offsets.topic.replication.factor': 3,
      'offsets.topic.num.partitions': 3,
      'transaction.state.log.replication.factor': 3,
      'transaction.state.log.min.isr': 2,
      'share.coordinator.state.topic.replication.factor': 3,
      'share.coordinator.state.topic.min.isr': 2,
      'min.insync.replicas': 2,
      'group.initial.rebalance.delay.ms': 0,
      // Leaders return to their preferred broker soon: a leader move while every broker runs.
      'leader.imbalance.check.interval.seconds': 3,
      'replica.lag.time.max.ms': 5_000,
      'broker.session.timeout.ms': 4_000,
      'broker.heartbeat.interval.ms': 1_000,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
  }
}
