import { TidegateError } from '@tidegate/core';
import { z } from 'zod';

export interface ClientCredentials {
  /** Address of the authorization server's token endpoint. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes separated by spaces. Default: none is asked for. */
  readonly scope?: string | undefined;
  /** Deadline of a request in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

const answer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().optional() });
/** Part of a token's lifetime after which another is fetched. */
const RENEW_AFTER = 0.8;
const TIMEOUT_MS = 5_000;

/**
 * Returns a provider of tokens by the client credentials grant (RFC 6749, 4.4). Keeps a token for most of its lifetime;
 * calls at the same time share one request.
 *
 * The provider throws TidegateError UNAVAILABLE when the server gives no token.
 */
export function clientCredentialsToken(options: ClientCredentials): () => Promise<string> {
  let current: { readonly token: string; readonly untilMs: number } | undefined;
  let fetching: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const { access_token: token, expires_in: seconds = 0 } = await fetchToken(options);
    current = { token, untilMs: Date.now() + seconds * 1000 * RENEW_AFTER };
    return token;
  };
  return async () => {
    if (current && Date.now() < current.untilMs) return current.token;
    return (fetching ??= renew().finally(() => (fetching = undefined)));
  };
}

async function fetchToken(options: ClientCredentials): Promise<z.infer<typeof answer>> {
  const { tokenUrl, clientId, clientSecret, scope, timeoutMs = TIMEOUT_MS } = options;
  try {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return answer.parse(await response.json());
  } catch (error) {
    throw new TidegateError('UNAVAILABLE', `${tokenUrl} gives no token for Kafka.`, { cause: error });
  }
}

/** Form encoding of a client's name and secret (RFC 6749, 2.3.1). */
function encode(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length);
}
