import { stackSettings } from './stack/stack-settings.ts';
import { stackPids, startStack, stopStack } from './stack/stack.ts';

const help = `npm run stack [-- start | stop | status | --help]

Real Kafka (KRaft), Redis and Postgres for development, without Docker, on ports of their own.

  start   (default) starts what does not run yet, waits until each answers, prints the environment
  stop    ends exactly what start has started; the data stays
  status  tells what runs

STACK_KAFKA_PORT (29092), STACK_KAFKA_CONTROLLER_PORT (29093), STACK_REDIS_PORT (26379),
STACK_POSTGRES_PORT (25432) and STACK_DIR (.stack) change where; TIDEGATE_CACHE (~/.cache/tidegate)
is where Kafka's jars are kept. As root, Postgres's data lies below /var/tmp, for Postgres refuses to run as root.`;

const command = process.argv[2] ?? 'start';

try {
  if (command === 'start') await start();
  else if (command === 'stop') await stop();
  else if (command === 'status') status();
  else if (command === '--help' || command === '-h' || command === 'help') console.log(help);
  else {
    console.error(`stack: unknown command ${command}\n\n${help}`);
    process.exitCode = 2;
  }
} catch (error) {
  // The message says what to do: a stack trace would only hide it.
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

function status(): void {
  const pids = Object.entries(stackPids(stackSettings().directory));
  for (const [name, pid] of pids)
    console.log(`${name}: ${pid === undefined ? 'not running' : `running, pid ${pid}`}`);
  if (pids.some(([, pid]) => pid === undefined)) process.exitCode = 3;
}
