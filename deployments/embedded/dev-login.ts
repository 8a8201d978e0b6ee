import { isIP } from 'node:net';
import { TidegateError } from '@tidegate/core';
import type { Route } from '@tidegate/gateway';
import { tokenSubject } from '@tidegate/gateway/jwt-rules';
import { errorResponse, readJsonBody, type Peer } from '@tidegate/runtime/http';
import { z } from 'zod';
import { roles, signToken } from '../../scripts/token/sign-token.ts';

const PATH = '/dev/token';
const TOKEN_TTL_MS = 60 * 60 * 1000;
const MAX_BODY_BYTES = 4 * 1024;
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
/** Headers that proxies and tunnels add: the request comes from another machine. */
const FORWARDED =
  /^(forwarded|via|x-forwarded|x-forwarded-.*|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.*|true-client-ip|cf-.*|fly-.*|fastly-.*|x-envoy-.*|x-azure-.*|x-appengine-.*|cdn-loop)$/;

const login = z.object({
  sub: tokenSubject,
  role: z.enum(roles),
  customers: z.array(tokenSubject).max(100).optional(),
});

/**
 * Creates the route `POST /dev/token {sub, role, customers}`, which signs any token for any client of this machine. Only the
 * embedded default has it, only with its own development secret and while it listens on loopback. For requests from
 * elsewhere, straight or through a proxy on this machine, the route does not exist. The request's `Host` must be
 * loopback too: otherwise a web page could reach it through a name that resolves to 127.0.0.1 (DNS rebinding).
 */
export function createDevLogin(secret: string): Route {
  return async (request, peer) => {
    if (new URL(request.url).pathname !== PATH) return undefined;
    try {
      if (!isOfThisMachine(request, peer))
        throw new TidegateError('NOT_FOUND', 'Development tokens are not issued here.');
      const { sub, role, customers } = await parseLogin(request);
      const token = await signToken({ sub, role, customers, ttlMs: TOKEN_TTL_MS, secret });
      const expiresAt = new Date(Date.now() + TOKEN_TTL_MS).toISOString();
      return Response.json({ token, expiresAt }, { headers: { 'cache-control': 'no-store' } });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      return errorResponse(error, error.code === 'METHOD_NOT_ALLOWED' ? { allow: 'POST' } : {});
    }
  };
}

/** Answers `/dev/token` where no development tokens are issued: no page of the micro-frontends takes its place. */
export const noDevLogin: Route = async (request) =>
  new URL(request.url).pathname === PATH
    ? errorResponse(new TidegateError('NOT_FOUND', 'Development tokens are not issued here.'))
    : undefined;

function isOfThisMachine(request: Request, peer: Peer | undefined): boolean {
  return isLoopback(peer?.address) && ![...request.headers.keys()].some((name) => FORWARDED.test(name));
}

function isLoopback(address = ''): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

async function parseLogin(request: Request): Promise<z.infer<typeof login>> {
  if (request.method !== 'POST') throw new TidegateError('METHOD_NOT_ALLOWED', 'Ask for a token by POST.');
  if (!LOOPBACK_HOST.test(request.headers.get('host') ?? '')) {
    throw new TidegateError('FORBIDDEN', 'Development tokens are for this machine only.');
  }
  const parsed = login.safeParse(await readJsonBody(request, MAX_BODY_BYTES));
  if (!parsed.success) throw new TidegateError('BAD_REQUEST', z.prettifyError(parsed.error));
  return parsed.data;
}
