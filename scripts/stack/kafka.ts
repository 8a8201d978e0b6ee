import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { kafkaVersion } from './kafka-jars.ts';

export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/** One node of a real Kafka, broker and controller in one (KRaft), on loopback. */
export function createKafkaBackend(directory: string, ports: KafkaPorts, libs: string): Backend {
  const dataFolder = join(directory, 'kafka');
  const properties = join(directory, 'kafka.properties');
  const pidFile = join(directory, 'kafka.pid');
  const logFile = join(directory, 'kafka.log');

  async function start(): Promise<void> {
    await mkdir(dataFolder, { recursive: true });
    await writeFile(properties, serverProperties(ports, dataFolder));
    if (!existsSync(join(dataFolder, 'meta.properties'))) await format(libs, properties, dataFolder);
    const args = [
      '-Xms128m',
      '-Xmx384m',
      '-XX:+UseSerialGC',
      ...logging,
      '-cp',
      `${libs}/*`,
      'kafka.Kafka',
      properties,
    ];
    startDaemon({ name: 'Kafka', command: 'java', args, cwd: directory, pidFile, logFile });
  }

  const ping = async (): Promise<string> => {
    await pingKafka([`127.0.0.1:${ports.broker}`]);
    return kafkaVersion;
  };
  return { name: 'Kafka', pidFile, logFile, dataFolder, stopSignal: 'SIGTERM', start, ping };
}

/** Resolves when the cluster has a broker that takes requests. A fenced broker listens already and is not in it. */
export async function pingKafka(brokers: readonly string[]): Promise<void> {
  const admin = new Admin({
    clientId: 'tidegate-stack',
    bootstrapBrokers: [...brokers],
    connectTimeout: 2_000,
    requestTimeout: 2_000,
    retries: 0,
  });
  try {
    const { brokers: alive } = await admin.metadata({ topics: [], forceUpdate: true });
    if (alive.size === 0) throw new Error('the broker is not registered yet');
  } finally {
    await admin.close().catch(() => {});
  }
}

const logging = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

function serverProperties(ports: KafkaPorts, dataFolder: string): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${ports.controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${ports.broker}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${dataFolder}`,
    // A topic that nobody ensured is a mistake that must show.
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=4',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'share.coordinator.state.topic.num.partitions=4',
    // For production three seconds save rebalances; here they would only be waited for.
    'group.initial.rebalance.delay.ms=0',
    // The default of 128 MiB is a third of this heap.
    'log.cleaner.dedupe.buffer.size=16777216',
    '',
  ].join('\n');
}

async function format(libs: string, properties: string, dataFolder: string): Promise<void> {
  // Kafka reads a leading dash as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'T');
  const tool = ['-XX:TieredStopAtLevel=1', ...logging, '-cp', `${libs}/*`, 'kafka.tools.StorageTool'];
  const child = spawn('java', [...tool, 'format', '-t', clusterId, '-c', properties]);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  await rm(dataFolder, { recursive: true, force: true });
  throw new Error(`Kafka: formatting the data folder failed\n${said.slice(-2_000)}`);
}
