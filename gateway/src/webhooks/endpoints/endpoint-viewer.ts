import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { EndpointRow } from '../tables.ts';

type ViewerColumns = Pick<EndpointRow, 'partner' | 'claims' | 'token_id' | 'token_issued_at'>;

/** Role of every endpoint's viewer. */
export const PARTNER = 'partner';

/** Columns that keep a partner as its token named it. */
export function viewerColumns({ id, claims = {}, tokenId, issuedAtMs = 0 }: VerifiedViewer): ViewerColumns {
  return {
    partner: id,
    claims: JSON.stringify(claims),
    token_id: tokenId ?? null,
    token_issued_at: issuedAtMs,
  };
}

/** Returns the partner that `viewerColumns` kept. The token's expiry is not kept: an endpoint outlives its token. */
export function viewerOfEndpoint(row: ViewerColumns): VerifiedViewer {
  return {
    role: PARTNER,
    id: row.partner,
    claims: JSON.parse(row.claims) as Record<string, unknown>,
    issuedAtMs: row.token_issued_at,
    ...(row.token_id !== null && { tokenId: row.token_id }),
  };
}
