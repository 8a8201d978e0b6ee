import assert from 'node:assert/strict';
import { afterEach } from 'vitest';
import {
  startSseEndpoint,
  StreamReader,
  type OpenSubscription,
  type SseEndpointFixture,
  type SseEndpointFixtureOptions,
} from './endpoint.fixture.ts';

export const CUSTOMER = { authorization: 'Bearer member.c1' };
export const SUBSCRIPTION = 'subscription { a }';

interface RequestOptions {
  readonly headers?: Record<string, string>;
  readonly search?: string;
  readonly body?: unknown;
}

/** Sends requests of one member to an endpoint that `start` starts. */
export class SseEndpointClient {
  #fixture: SseEndpointFixture | undefined;

  get fixture(): SseEndpointFixture {
    return this.#fixture!;
  }

  async start(options: SseEndpointFixtureOptions = {}): Promise<void> {
    this.#fixture = await startSseEndpoint(options);
  }

  async stop(): Promise<void> {
    await this.#fixture?.[Symbol.asyncDispose]();
  }

  send(method: string, { headers, search, body }: RequestOptions = {}): Promise<Response> {
    return fetch(`${this.fixture.url}${search ?? ''}`, {
      method,
      headers: { 'content-type': 'application/json', ...CUSTOMER, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async openStream(options: RequestOptions = {}, method = 'POST'): Promise<StreamReader> {
    const headers = { accept: 'text/event-stream', ...options.headers };
    return new StreamReader(await this.send(method, { ...options, headers }));
  }

  /** Reserves a stream and returns its token. */
  async reserve(headers: Record<string, string> = {}): Promise<string> {
    const response = await this.send('PUT', { headers });
    assert.equal(response.status, 201);
    return response.text();
  }

  openReserved(token: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    return this.openStream({ headers: { 'x-graphql-event-stream-token': token, ...headers } }, 'GET');
  }

  /** Starts an operation on a reserved stream. */
  operate(
    token: string,
    operationId: unknown,
    query = SUBSCRIPTION,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.send('POST', {
      headers: { 'x-graphql-event-stream-token': token, ...headers },
      body: { query, extensions: { operationId } },
    });
  }

  /** Returns the first subscription of the hub. */
  only(): OpenSubscription {
    return this.fixture.subscriptions[0]!;
  }
}

/** Creates a client whose endpoint is stopped after each test. */
export function useSseEndpoint(): SseEndpointClient {
  const client = new SseEndpointClient();
  afterEach(() => client.stop());
  return client;
}

/** Returns the status and the error code of a refusal. */
export async function codeOf(response: Response): Promise<[number, string]> {
  const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
  assert.ok(!('http' in errors[0]!.extensions));
  return [response.status, errors[0]!.extensions.code];
}
