import { TidegateError } from '@tidegate/core';
import type { Route } from '@tidegate/gateway';
import { errorResponse } from '@tidegate/runtime/http';
import { z } from 'zod';
import { roles, signToken } from '../../scripts/token/sign-token.ts';

const TOKEN_TTL_MS = 60 * 60 * 1000;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const SUBJECT = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const login = z.object({
  sub: SUBJECT,
  role: z.enum(roles),
  customers: z.array(SUBJECT).max(100).optional(),
});

/**
 * Creates the route `POST /dev/token {sub, role, customers}`, which signs any token for any client. Only the embedded default has
 * it, only while it listens on loopback. The request's `Host` must be loopback too: otherwise a web page could reach it
 * through a name that resolves to 127.0.0.1 (DNS rebinding).
 */
export function createDevLogin(secret: string): Route {
  return async (request) => {
    if (new URL(request.url).pathname !== '/dev/token') return undefined;
    try {
      const { sub, role, customers } = await parseLogin(request);
      const token = await signToken({ sub, role, customers, ttlMs: TOKEN_TTL_MS, secret });
      return Response.json({ token, expiresAt: new Date(Date.now() + TOKEN_TTL_MS).toISOString() });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      return errorResponse(error);
    }
  };
}

async function parseLogin(request: Request): Promise<z.infer<typeof login>> {
  if (request.method !== 'POST') throw new TidegateError('METHOD_NOT_ALLOWED', 'Ask for a token by POST.');
  if (!LOOPBACK.test(request.headers.get('host') ?? '')) {
    throw new TidegateError('FORBIDDEN', 'Development tokens are for this machine only.');
  }
  if (!request.headers.get('content-type')?.startsWith('application/json')) {
    throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'Send JSON: {"sub":"customer-1","role":"customer"}.');
  }
  const parsed = login.safeParse(await request.json().catch(() => undefined));
  if (!parsed.success) throw new TidegateError('BAD_REQUEST', z.prettifyError(parsed.error));
  return parsed.data;
}
