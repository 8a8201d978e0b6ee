import { encodeErrorBody, errorCodes, TidegateError, type ErrorCode } from '@tidegate/core';
import type { FetchHandler } from './fetch-handler.ts';
import type { Logger } from '../telemetry/index.ts';
import { createHealthHandler, type HealthHandlerOptions } from './health-handler.ts';
import { startHttpServer, type HttpServer, type UpgradeHandler } from './http-server.ts';

/** What a process serves beside its health. */
export interface Serving {
  readonly handle?: FetchHandler;
  readonly onUpgrade?: UpgradeHandler;
}

export interface ProcessServer extends HttpServer {
  /** From now on; before it everything but health is answered with UNAVAILABLE. */
  serve(serving: Serving): void;
}

/** The process's one HTTP server: health from the first moment, the rest once it is known. */
export async function startProcessServer(
  options: HealthHandlerOptions & { host: string; port: number; logger: Logger },
): Promise<ProcessServer> {
  const health = createHealthHandler(options);
  let serving: Serving | undefined;

  async function answer(request: Request): Promise<Response> {
    const healthy = health(request);
    if (healthy) return healthy;
    if (!serving) return refuse('UNAVAILABLE', 'The process is still starting.');
    return serving.handle
      ? serving.handle(request)
      : refuse('NOT_FOUND', 'There is nothing at this address.');
  }

  const server = await startHttpServer({
    host: options.host,
    port: options.port,
    handle: async (request) => {
      try {
        return await answer(request);
      } catch (error) {
        // A FetchHandler does not reject; the adapter would answer with the stack of one that does.
        options.logger.error({ err: error }, 'a request handler rejected');
        return refuse('INTERNAL', 'Something went wrong on our side.');
      }
    },
    onUpgrade: (request, socket, head) => {
      if (serving?.onUpgrade) serving.onUpgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    },
  });
  options.logger.info({ port: server.port }, `listening at http://${options.host}:${server.port}`);
  return { ...server, serve: (given) => void (serving = given) };
}

function refuse(code: ErrorCode, message: string): Response {
  return Response.json(encodeErrorBody(new TidegateError(code, message)), {
    status: errorCodes[code].httpStatus,
  });
}
