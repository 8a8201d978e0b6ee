import { fromGraphQLErrors, LiveClientError } from './live-client-error.ts';
import type { QueryRequest } from './requests.ts';
import type { Result } from './result.ts';
import type { TokenProvider } from './token-provider.ts';

export interface PostQueryOptions {
  readonly httpUrl: string;
  readonly token: TokenProvider;
  /** Time limit for each request, in milliseconds. */
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
}

const tokenCodes = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED']);

/**
 * Posts one query or mutation. Retries once with a new token when the server refuses the first. Resolves when there is
 * data, also if single fields failed.
 *
 * @throws LiveClientError when there is no data; `signal.reason` when the caller aborted.
 */
export async function postQuery<Data>(
  options: PostQueryOptions,
  request: QueryRequest,
): Promise<Result<Data>> {
  try {
    return await post<Data>(options, request, false);
  } catch (error) {
    if (!(error instanceof LiveClientError) || !tokenCodes.has(error.code)) throw error;
    return post<Data>(options, request, true);
  }
}

async function post<Data>(
  options: PostQueryOptions,
  { query, variables, signal }: QueryRequest,
  refresh: boolean,
): Promise<Result<Data>> {
  const token = await options.token({ refresh });
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const result = await fetchResult<Data>(options, signal, deadline, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, ...(variables && { variables }) }),
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  });
  if (result.data === undefined || result.data === null) throw fromGraphQLErrors(result.errors ?? []);
  return result;
}

async function fetchResult<Data>(
  { fetch, httpUrl, timeoutMs }: PostQueryOptions,
  signal: AbortSignal | undefined,
  deadline: AbortSignal,
  init: RequestInit,
): Promise<Result<Data>> {
  let status = 0;
  let body: string;
  try {
    const response = await fetch(httpUrl, init);
    status = response.status;
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (deadline.aborted)
      throw new LiveClientError('TIMEOUT', `No answer within ${timeoutMs} ms.`, { cause: error });
    throw new LiveClientError('NETWORK', 'The server cannot be reached.', { cause: error });
  }
  return parseResult<Data>(body, status);
}

function parseResult<Data>(body: string, status: number): Result<Data> {
  try {
    const value: unknown = JSON.parse(body);
    if (isResult<Data>(value)) return value;
  } catch {
    // Not JSON: most likely the page of a proxy. The HTTP status decides below.
  }
  const code = status >= 500 ? 'UNAVAILABLE' : status === 401 ? 'UNAUTHENTICATED' : 'BAD_RESPONSE';
  throw new LiveClientError(code, `The server answered ${status} with something that is not GraphQL.`);
}

function isResult<Data>(value: unknown): value is Result<Data> {
  if (typeof value !== 'object' || value === null) return false;
  return 'data' in value || ('errors' in value && Array.isArray(value.errors));
}
