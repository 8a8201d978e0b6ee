/**
 * Preloaded into the server of a demo churn (`node --import`): answers on `BENCH_HEAP_PORT` of the loopback with the
 * heap after a collection. The server itself has no such route.
 */
import { createServer } from 'node:http';
import { getHeapStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface HeapReport {
  /** Used heap after a full collection. */
  readonly heapMb: number;
  readonly rssMb: number;
}

const MB = 1024 * 1024;
const PROBED_ENTRY = 'deployments/embedded.ts';

// The server starts other processes, which inherit the preload.
if (process.argv[1]?.endsWith(PROBED_ENTRY)) {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const server = createServer((request, response) => {
    // Twice: finalizers and weak maps of the first collection may release objects for the second.
    collectGarbage();
    collectGarbage();
    const path = new URL(request.url ?? '/', 'http://localhost').searchParams.get('snapshot');
    if (path !== null) writeHeapSnapshot(path);
    const report: HeapReport = {
      heapMb: getHeapStatistics().used_heap_size / MB,
      rssMb: process.memoryUsage.rss() / MB,
    };
    response.end(JSON.stringify(report));
  });
  server.listen(Number(process.env['BENCH_HEAP_PORT']), '127.0.0.1').unref();
}
