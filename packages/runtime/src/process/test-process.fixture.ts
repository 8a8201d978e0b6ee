/** Process that `run-process.test.ts` runs. Environment variables choose its behaviour. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { integer, text } from '../config/index.ts';
import { runProcess } from './run-process.ts';

runProcess({
  name: 'test-process',
  config: {
    TEST_BACKEND_PORT: integer(1, 65_535, 'the port of the backend').optional(),
    TEST_STOP: text('"hang" or "fail"').optional(),
    TEST_START: text('"fail" or "reject-late"').optional(),
  },
  start: async (config, host) => {
    for (const name of ['first', 'second', 'third']) {
      host.add({
        name,
        stop: async () => {
          if (name === 'second' && config.TEST_STOP === 'fail') throw new Error('second is stuck');
          if (name === 'second' && config.TEST_STOP === 'hang') await new Promise(() => {});
        },
      });
    }
    if (config.TEST_START === 'fail') throw new Error('nothing works');
    if (config.TEST_START === 'reject-late') setTimeout(() => void Promise.reject(new Error('forgotten')), 1);
    const backend = config.TEST_BACKEND_PORT;
    if (backend !== undefined)
      await host.dependency(
        'backend',
        () => reach(backend),
        () => reach(backend),
      );
    return {
      handle: async (request) => {
        if (new URL(request.url).pathname === '/slow')
          await new Promise((resolve) => setTimeout(resolve, 300));
        if (new URL(request.url).pathname === '/broken') throw new Error('hunter2');
        return new Response('hello');
      },
    };
  },
});

async function reach(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
