import { signToken } from '../scripts/token/sign-token.ts';

const secret = 'a-secret-of-the-measurements-only-32-characters';

/** Token and signing secret of every client of a measurement. The token lasts one hour. */
export const bench = {
  secret,
  token: (): Promise<string> => signToken({ sub: 'bench', role: 'operator', ttlMs: 3_600_000, secret }),
};
