import { requireRole } from '@tidegate/bff';
import { TidegateError, toTidegateError } from '@tidegate/core';
import { errorResponse, readJsonBody } from '@tidegate/runtime/http';
import type { Logger } from '@tidegate/runtime/telemetry';
import { z } from 'zod';
import type { RevokedAccess } from './access-revoked.ts';
import { tokenId, tokenSubject } from './jwt-rules.ts';
import type { Revocations } from './revocations.ts';
import type { TokenVerifier } from './token-verifier.ts';

const PATH = '/api/access/revocations';
const MAX_BODY_BYTES = 64 * 1024;

const requestBody = z.union([z.strictObject({ tokenId }), z.strictObject({ subject: tokenSubject })], {
  error: 'Name either a `tokenId` (the `jti` of one token) or a `subject` (all its tokens so far).',
});

export interface RevocationsRouteOptions {
  readonly revocations: Revocations;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
}

/**
 * Serves `POST /api/access/revocations` for operators: `{"tokenId": "…"}` revokes one token, `{"subject": "…"}` all
 * tokens issued to the subject until now. Answers 201 when the revocation is durable. Never rejects: failures are
 * responses.
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
      return errorResponse(error, error.code === 'METHOD_NOT_ALLOWED' ? { allow: 'POST' } : {});
    }
  };
}

async function revoke(request: Request, options: RevocationsRouteOptions): Promise<Response> {
  if (request.method !== 'POST') throw new TidegateError('METHOD_NOT_ALLOWED', 'Revoke by POST.');
  const operator = await options.verifier.verify(request.headers.get('authorization'));
  requireRole(operator, 'operator');
  const access = parseAccess(await readJsonBody(request, MAX_BODY_BYTES), Date.now());
  const { until } = await options.revocations.revoke(access, operator.id);
  // A warning, so that the log shows by default which operator revoked which access.
  options.logger.warn({ access, by: operator.id }, 'access was revoked');
  return Response.json({ ...access, until }, { status: 201, headers: { 'cache-control': 'no-store' } });
}

function parseAccess(body: unknown, nowMs: number): RevokedAccess {
  const parsed = requestBody.safeParse(body);
  if (!parsed.success) throw new TidegateError('BAD_USER_INPUT', z.prettifyError(parsed.error));
  if ('tokenId' in parsed.data) return { kind: 'token', tokenId: parsed.data.tokenId };
  return { kind: 'subject', subject: parsed.data.subject, issuedBefore: new Date(nowMs).toISOString() };
}
