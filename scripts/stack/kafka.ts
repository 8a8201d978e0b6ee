import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { securityProperties, type KafkaSecurity } from './kafka-security.ts';
import { kafkaVersion } from './kafka-jars.ts';
import { runProgram } from './run-program.ts';

export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/** Creates one Kafka node, broker and controller in one (KRaft), on loopback. `libs` is the folder of its jars. */
export function createKafkaBackend(
  directory: string,
  ports: KafkaPorts,
  libs: string,
  security?: KafkaSecurity,
): Backend {
  return new KafkaBackend(directory, ports, libs, security);
}

class KafkaBackend implements Backend {
  readonly name = 'Kafka';
  readonly stopSignal = 'SIGTERM';
  readonly pidFile: string;
  readonly logFile: string;
  readonly dataFolder: string;
  readonly #directory: string;
  readonly #ports: KafkaPorts;
  readonly #libs: string;
  readonly #security: KafkaSecurity | undefined;

  constructor(directory: string, ports: KafkaPorts, libs: string, security: KafkaSecurity | undefined) {
    this.#security = security;
    this.#directory = directory;
    this.#ports = ports;
    this.#libs = libs;
    this.pidFile = join(directory, 'kafka.pid');
    this.logFile = join(directory, 'kafka.log');
    this.dataFolder = join(directory, 'kafka');
  }

  async start(): Promise<void> {
    const { dataFolder, pidFile, logFile } = this;
    const properties = join(this.#directory, 'kafka.properties');
    await mkdir(dataFolder, { recursive: true });
    await writeFile(properties, serverProperties(this.#ports, dataFolder, this.#security));
    if (!existsSync(join(dataFolder, 'meta.properties'))) await format(this.#libs, properties, dataFolder);
    const memory = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC'];
    const args = [...memory, ...logging, '-cp', `${this.#libs}/*`, 'kafka.Kafka', properties];
    startDaemon({ name: 'Kafka', command: 'java', args, cwd: this.#directory, pidFile, logFile });
  }

  async ping(): Promise<string> {
    await pingKafka([`127.0.0.1:${this.#ports.broker}`], this.#security);
    return kafkaVersion;
  }
}

/** Resolves when the cluster has a registered broker. A fenced broker listens already but is not registered. */
export async function pingKafka(brokers: readonly string[], security?: KafkaSecurity): Promise<void> {
  const admin = new Admin({
    clientId: 'tidegate-stack',
    bootstrapBrokers: [...brokers],
    connectTimeout: 2_000,
    requestTimeout: 2_000,
    retries: 0,
    ...(security && {
      tls: { ca: readFileSync(security.caFile) },
      sasl: { mechanism: 'PLAIN', username: security.username, password: security.password },
    }),
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

function serverProperties(
  ports: KafkaPorts,
  dataFolder: string,
  security: KafkaSecurity | undefined,
): string {
  const listener = security ? 'SASL_SSL' : 'PLAINTEXT';
  const secured = Object.entries(security ? securityProperties(listener, security) : {});
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${ports.controller}`,
    `listeners=${listener}://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    `advertised.listeners=${listener}://127.0.0.1:${ports.broker}`,
    'controller.listener.names=CONTROLLER',
    `inter.broker.listener.name=${listener}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${listener}:${listener}`,
    `log.dirs=${dataFolder}`,
    // A topic that was not created explicitly is a mistake, which must fail.
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=4',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'share.coordinator.state.topic.num.partitions=4',
    // The default of three seconds saves rebalances in production; here it only delays.
    'group.initial.rebalance.delay.ms=0',
    // The default of 128 MiB is a third of this heap.
    'log.cleaner.dedupe.buffer.size=16777216',
    ...secured.map(([name, value]) => `${name}=${value}`),
    '',
  ].join('\n');
}

async function format(libs: string, properties: string, dataFolder: string): Promise<void> {
  // Kafka parses a leading dash as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'T');
  const tool = ['-XX:TieredStopAtLevel=1', ...logging, '-cp', `${libs}/*`, 'kafka.tools.StorageTool'];
  const { code, output } = await runProgram('java', [...tool, 'format', '-t', clusterId, '-c', properties]);
  if (code === 0) return;
  await rm(dataFolder, { recursive: true, force: true });
  throw new Error(`Kafka: formatting the data folder failed\n${output.slice(-2_000)}`);
}
