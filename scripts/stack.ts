import { kafkaSecurity, securityVariables } from './stack/kafka-security.ts';
import { stackSettings } from './stack/stack-settings.ts';
import { stackPids, startStack, stopStack } from './stack/stack.ts';

const help = `npm run stack [-- start | stop | status | certificates | --help]

Real Kafka (KRaft), Redis and Postgres for development, without Docker, on ports of their own.

  start   (default) starts the backends that are not running, waits until each answers, prints the environment
  stop    ends the backends that start has started; the data stays
  status  prints the state of each backend
  certificates  creates the certificates of docker-compose.sasl-ssl.yml and prints its variables

STACK_KAFKA_PORT (29092), STACK_KAFKA_CONTROLLER_PORT (29093), STACK_REDIS_PORT (26379),
STACK_POSTGRES_PORT (25432) and STACK_DIR (.stack) change ports and folder. STACK_KAFKA_SECURITY=sasl_ssl gives Kafka
TLS and a login, with certificates of its own. TIDEGATE_CACHE (~/.cache/tidegate)
holds Kafka's jars. As root, Postgres's data is below /var/tmp, because Postgres refuses to run as root.`;

const command = process.argv[2] ?? 'start';

try {
  if (command === 'start') await start();
  else if (command === 'stop') await stop();
  else if (command === 'status') status();
  else if (command === 'certificates') await certificates();
  else if (command === '--help' || command === '-h' || command === 'help') console.log(help);
  else {
    console.error(`stack: unknown command ${command}\n\n${help}`);
    process.exitCode = 2;
  }
} catch (error) {
  // The message is an instruction; a stack trace would hide it.
  console.error(`stack: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const stack = await startStack({ ...stackSettings(), onLine: (line) => console.error(`stack: ${line}`) });
  for (const [name, value] of Object.entries(stack.env)) console.log(`export ${name}=${value}`);
}

async function stop(): Promise<void> {
  const stopped = await stopStack(stackSettings().directory);
  console.log(stopped.length === 0 ? 'stack: nothing was running' : `stack: stopped ${stopped.join(', ')}`);
}

async function certificates(): Promise<void> {
  const { KAFKA_CA_FILE: _, ...variables } = securityVariables(
    await kafkaSecurity(stackSettings().directory),
  );
  for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`);
}

function status(): void {
  const pids = Object.entries(stackPids(stackSettings().directory));
  for (const [name, pid] of pids)
    console.log(`${name}: ${pid === undefined ? 'not running' : `running, pid ${pid}`}`);
  if (pids.some(([, pid]) => pid === undefined)) process.exitCode = 3;
}
