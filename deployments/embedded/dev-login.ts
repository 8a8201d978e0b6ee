import { TidegateError, encodeErrorBody, errorCodes } from '@tidegate/core';
import { z } from 'zod';
import { roles, signToken } from '../../scripts/token/sign-token.ts';

const TOKEN_TTL_MS = 60 * 60 * 1000;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const wish = z.object({ sub: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/), role: z.enum(roles) });

/**
 * `POST /dev/token {sub, role}`: whoever can reach it is whoever they like. Only the embedded default has it, only
 * while it listens on loopback, and only for requests that name loopback as their host, so that no page from
 * elsewhere can ask for a token by way of a name that resolves to 127.0.0.1.
 */
export function createDevLogin(secret: string): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    if (new URL(request.url).pathname !== '/dev/token') return undefined;
    try {
      const { sub, role } = await parseWish(request);
      const token = await signToken({ sub, role, ttlMs: TOKEN_TTL_MS, secret });
      return Response.json({ token, expiresAt: new Date(Date.now() + TOKEN_TTL_MS).toISOString() });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      return Response.json(encodeErrorBody(error), { status: errorCodes[error.code].httpStatus });
    }
  };
}

async function parseWish(request: Request): Promise<z.infer<typeof wish>> {
  if (request.method !== 'POST') throw new TidegateError('METHOD_NOT_ALLOWED', 'Ask for a token by POST.');
  if (!LOOPBACK.test(request.headers.get('host') ?? '')) {
    throw new TidegateError('FORBIDDEN', 'Development tokens are for this machine only.');
  }
  if (!request.headers.get('content-type')?.startsWith('application/json')) {
    throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'Send JSON: {"sub":"customer-1","role":"customer"}.');
  }
  const parsed = wish.safeParse(await request.json().catch(() => undefined));
  if (!parsed.success) throw new TidegateError('BAD_REQUEST', z.prettifyError(parsed.error));
  return parsed.data;
}
