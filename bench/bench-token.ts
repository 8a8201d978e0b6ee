import { signToken } from '../scripts/token/sign-token.ts';

const secret = 'a-secret-of-the-measurements-only-32-characters';

/** Who the measurements' clients are. */
export const bench = {
  secret,
  token: (): Promise<string> => signToken({ sub: 'bench', role: 'operator', ttlMs: 3_600_000, secret }),
};
