import { hostPorts, parseConfig, secret, text, url } from '@tidegate/runtime/config';
import { buildMicrofrontends } from '../microfrontends/build.ts';
import { processes } from './processes.ts';
import { startProcesses } from './start-stack/start-processes.ts';
import { stackSettings } from './stack/stack-settings.ts';
import { startStack, type Stack } from './stack/stack.ts';

const help = `npm run start:stack

Every process of the production shape, natively, each on its own port:
${processes.map(({ name, port }) => `  ${String(port)}  ${name}`).join('\n')}

With KAFKA_BROKERS in the environment it uses that stack and needs DATABASE_URL, REDIS_URL, JWT_SECRET and
CURSOR_SECRETS, WEBHOOK_KEYS and SERVICE_SECRETS as well; without, it starts one as npm run stack does, and stops it at its own end.
A process that dies is started again. Ctrl-C stops all, the edge first. Each process gets the variables of
docs/operations.md that it reads, except HOST, PORT and OPERATIONS_PORT.`;

if (process.argv.includes('--help')) console.log(help);
else {
  try {
    await main();
  } catch (error) {
    console.error(`start:stack: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  const log = (line: string): void => console.log(`start:stack: ${line}`);

  const stack = process.env['KAFKA_BROKERS']
    ? undefined
    : await startStack({ ...stackSettings(), onLine: log });
  try {
    if (!stopping.signal.aborted) await runPlatform(stack?.env ?? givenStack(), stopping.signal, log);
  } finally {
    await stopOwnStack(stack, log);
  }
}

async function runPlatform(
  stackEnv: Record<string, string>,
  stopping: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  await buildMicrofrontends({ log: log });
  const width = Math.max(...processes.map(({ name }) => name.length));
  const platform = startProcesses({
    stackEnv: { ...process.env, ...stackEnv },
    onLine: (name, line) => console.log(`${name.padEnd(width)} | ${line}`),
  });
  const stopped = new Promise<void>((resolve) =>
    stopping.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    await platform.ready({ signal: stopping, onWaiting: log });
    console.log(`Tidegate ready at ${platform.urls['gateway-web']}`);
    await stopped;
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    log('stopping every process, the edge first');
    await platform.stop();
  }
}

/** @throws TidegateError CONFIG_INVALID with each variable that is missing or malformed. */
function givenStack(): Record<string, string> {
  const shape = {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    REDIS_URL: url(['redis', 'rediss'], 'the Redis server'),
    JWT_SECRET: secret('the key that tokens are signed with'),
    CURSOR_SECRETS: text('the keys that cursors are signed with'),
    SERVICE_SECRETS: text('the secrets that calls of services are signed with'),
    WEBHOOK_KEYS: text('the keys that webhook secrets are encrypted with'),
  };
  parseConfig(shape);
  return Object.fromEntries(Object.keys(shape).map((name) => [name, process.env[name] ?? '']));
}

async function stopOwnStack(stack: Stack | undefined, log: (line: string) => void): Promise<void> {
  if (!stack) return;
  log('stopping the stack');
  await stack.stop();
}
