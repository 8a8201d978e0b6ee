import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort, startChild, until, type Child } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';

const entry = 'packages/runtime/src/process/test-process.fixture.ts';

async function start(env: Record<string, string> = {}): Promise<{ child: Child; base: string }> {
  const child = startChild(entry, { PORT: '0', ...env });
  const line = await child.waitForLine('listening at');
  return { child, base: (JSON.parse(line) as { msg: string }).msg.replace('listening at ', '') };
}

const stopped = (child: Child): string[] =>
  child.lines.flatMap((line) => /"msg":"stopped (\w+)"/.exec(line)?.[1] ?? []);

describe('a process with a wrong configuration', () => {
  it('exits with 78 at once, naming each variable and its expected value', async () => {
    await using child = startChild(entry, { PORT: 'http', TEST_BACKEND_PORT: '99999' });
    expect(await child.exited).toEqual({ code: 78, signal: null });
    expect(child.lines).toEqual([
      'test-process cannot start, its configuration is wrong:',
      expect.stringContaining('PORT is "http"; it expects a TCP port'),
      expect.stringContaining(
        'TEST_BACKEND_PORT is "99999"; it expects the port of the backend: a whole number from 1 to 65535',
      ),
    ]);
  });

  it('names a variable that is missing', async () => {
    await using child = startChild(entry);
    expect((await child.exited).code).toBe(78);
    expect(child.lines[1]).toContain('PORT is not set; it expects a TCP port');
  });
});

describe('a process with a port for operators', () => {
  it('answers metrics and the reasons of readiness there only', async () => {
    const backend = await freePort();
    const { child, base } = await start({ OPERATIONS_PORT: '0', TEST_BACKEND_PORT: String(backend) });
    await using _child = child;
    const line = await child.waitForLine('listening for operators at');
    const operations = (JSON.parse(line) as { msg: string }).msg.replace('listening for operators at ', '');
    await child.waitForLine('backend cannot be reached');
    const backendCheck = async (url: string): Promise<unknown> =>
      ((await (await fetch(`${url}/readyz`)).json()) as { checks: { backend: unknown } }).checks.backend;
    expect(await backendCheck(base)).toEqual({ ok: false });
    expect(await backendCheck(operations)).toEqual({
      ok: false,
      error: `connect ECONNREFUSED 127.0.0.1:${backend}`,
    });
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/metrics`)).status).toBe(503);
    expect(await (await fetch(`${operations}/metrics`)).text()).toContain('process_');
    const server = createServer((socket) => socket.destroy()).listen(backend, '127.0.0.1');
    await child.waitForLine('is ready');
    expect((await fetch(`${base}/metrics`)).status).toBe(404);
    expect((await fetch(`${operations}/other`)).status).toBe(404);
    server.close();
  });
});

describe('a process whose backend is away', () => {
  it('is alive but not ready, names the reason, and gets ready when the backend appears', async () => {
    const port = await freePort();
    const { child, base } = await start({ TEST_BACKEND_PORT: String(port) });
    await using _child = child;
    const line = await child.waitForLine('backend cannot be reached');
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      service: 'test-process',
      dependency: 'backend',
      attempt: 1,
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const notReady = await fetch(`${base}/readyz`);
    expect([notReady.status, await notReady.json()]).toEqual([
      503,
      {
        status: 'not ready',
        checks: {
          startup: { ok: false, error: 'the process is still starting' },
          backend: { ok: false, error: 'connect ECONNREFUSED ***' },
        },
      },
    ]);
    expect((await fetch(`${base}/anything`)).status, 'nothing is served yet').toBe(503);

    const backend = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await once(backend, 'listening');
    const readiness = async () => fetch(`${base}/readyz`);
    const ready = await until(async () => ((await readiness()).status === 200 ? readiness() : undefined), {
      what: 'the process is ready',
    });
    expect(await ready.json()).toEqual({ status: 'ready', checks: { backend: { ok: true } } });
    expect(await (await fetch(`${base}/anything`)).text()).toBe('hello');

    backend.close();
    await until(async () => (await readiness()).status === 503, { what: 'the ping notices the loss' });
  });

  it('stops while it waits', async () => {
    const { child } = await start({ TEST_BACKEND_PORT: String(await freePort()) });
    await using _child = child;
    await child.waitForLine('backend cannot be reached');
    expect(await child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(stopped(child)).toEqual(['third', 'second', 'first', 'telemetry']);
  });
});

describe('a process that is asked to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s stops its components in reverse and exits with 0',
    async (signal) => {
      const { child } = await start();
      await using _child = child;
      await child.waitForLine('test-process is ready');
      expect(await child.kill(signal)).toEqual({ code: 0, signal: null });
      expect(stopped(child)).toEqual(['third', 'second', 'first', 'telemetry']);
    },
  );

  it('finishes the requests under way first', async () => {
    const { child, base } = await start();
    await using _child = child;
    await child.waitForLine('test-process is ready');
    const slow = fetch(`${base}/slow`);
    // A second answer on another connection says that the slow request, sent before, has been taken.
    await (await fetch(`${base}/quick`)).text();
    const exit = child.kill();
    expect(await (await slow).text()).toBe('hello');
    const answeredAt = performance.now();
    expect((await exit).code).toBe(0);
    expect(performance.now() - answeredAt, 'a kept-alive connection holds nothing up').toBeLessThan(3_000);
  });

  it('stops the others when one component fails to', async () => {
    const { child } = await start({ TEST_STOP: 'fail' });
    await using _child = child;
    await child.waitForLine('test-process is ready');
    expect((await child.kill()).code).toBe(0);
    expect(stopped(child)).toEqual(['third', 'first', 'telemetry']);
    await child.waitForLine('second did not stop cleanly');
  });

  it('exits with 1 at the second signal', async () => {
    const { child } = await start({ TEST_STOP: 'hang' });
    await using _child = child;
    await child.waitForLine('test-process is ready');
    process.kill(child.pid, 'SIGTERM');
    await child.waitForLine('stopped third');
    expect(await child.kill('SIGTERM')).toEqual({ code: 1, signal: null });
    expect(stopped(child)).toEqual(['third']);
  });
});

describe('a process that fails', () => {
  it('to start stops the components it has added and exits with 1', async () => {
    await using child = startChild(entry, { PORT: '0', TEST_START: 'fail' });
    expect((await child.exited).code).toBe(1);
    expect(stopped(child)).toEqual(['third', 'second', 'first', 'telemetry']);
    await child.waitForLine('test-process could not start: nothing works');
  });

  it('to listen names the address that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await using child = startChild(entry, { PORT: String(port) });
    expect((await child.exited).code).toBe(1);
    await child.waitForLine(`test-process cannot start: 127.0.0.1:${port} is in use by another process`);
    expect(child.lines.join('\n')).not.toContain('at Server');
    taken.close();
  });

  it('by an uncaught error exits with 1', async () => {
    await using child = startChild(entry, { PORT: '0', TEST_START: 'reject-late' });
    expect((await child.exited).code).toBe(1);
    expect(await child.waitForLine('an error was caught by nobody')).toContain('forgotten');
  });
});

describe("a process's HTTP", () => {
  it('answers INTERNAL without a stack when a handler rejects', async () => {
    const { child, base } = await start();
    await using _child = child;
    await child.waitForLine('test-process is ready');
    const response = await fetch(`${base}/broken`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
  });

  it('serves metrics', async () => {
    const { child, base } = await start();
    await using _child = child;
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('process_cpu_seconds_total');
  });
});
