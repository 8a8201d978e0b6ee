import { requireRole } from '@tidegate/bff';
import { tokenId, tokenSubject, type RevokedAccess } from './access-revoked.ts';
import { encodeErrorBody, errorCodes, TidegateError, toTidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import { z } from 'zod';
import { readLimitedJson } from '../webhooks/rest/read-limited-json.ts';
import type { Revocations } from './revocations.ts';
import type { TokenVerifier } from './token-verifier.ts';

const PATH = '/api/access/revocations';

const wish = z.union([z.strictObject({ tokenId }), z.strictObject({ subject: tokenSubject })], {
  error: 'Name either a `tokenId` (the `jti` of one token) or a `subject` (all its tokens so far).',
});

export interface RevocationsRouteOptions {
  readonly revocations: Revocations;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
}

/**
 * `POST /api/access/revocations`, for operators: `{"tokenId": "…"}` revokes one token, `{"subject": "…"}` everything
 * the subject was issued until now. Answers 201 when it is durable. Never rejects: what goes wrong is answered.
 */
export function createRevocationsRoute(
  options: RevocationsRouteOptions,
): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    if (new URL(request.url).pathname !== PATH) return undefined;
    try {
      return await revoke(request, options);
    } catch (thrown) {
      const error = toTidegateError(thrown);
      if (error.code === 'INTERNAL') options.logger.error({ err: thrown }, 'a revocation failed');
      return refusal(error);
    }
  };
}

async function revoke(request: Request, options: RevocationsRouteOptions): Promise<Response> {
  if (request.method !== 'POST') throw new TidegateError('METHOD_NOT_ALLOWED', 'Revoke by POST.');
  const operator = await options.verifier.verify(request.headers.get('authorization'));
  requireRole(operator, 'operator');
  const access = parseWish(await readLimitedJson(request), Date.now());
  const { until } = await options.revocations.revoke(access, operator.id);
  // Written down where operators look: who took whose access away.
  options.logger.warn({ access, by: operator.id }, 'access was revoked');
  return Response.json({ ...access, until }, { status: 201, headers: { 'cache-control': 'no-store' } });
}

function parseWish(body: unknown, nowMs: number): RevokedAccess {
  const parsed = wish.safeParse(body);
  if (!parsed.success) throw new TidegateError('BAD_USER_INPUT', z.prettifyError(parsed.error));
  if ('tokenId' in parsed.data) return { kind: 'token', tokenId: parsed.data.tokenId };
  return {
    kind: 'subject',
    subject: parsed.data.subject,
    issuedBefore: new Date(nowMs).toISOString(),
  };
}

function refusal(error: TidegateError): Response {
  return Response.json(encodeErrorBody(error), {
    status: errorCodes[error.code].httpStatus,
    headers: {
      ...(error.code === 'METHOD_NOT_ALLOWED' && { allow: 'POST' }),
      ...(error.code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer' }),
    },
  });
}
