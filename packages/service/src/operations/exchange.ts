import { type OperationDefinition, type OutputOf, decodeErrorBody, TidegateError } from '@tidegate/core';
import type { FetchHandler } from '@tidegate/runtime/http';
import { CALLER_HEADER, type CallerKeys } from '../callers/caller-keys.ts';

/** Address of a service: a handler in this process, or the base URL of another process. */
export type ServiceAddress = FetchHandler | string;

export interface ExchangeOptions {
  readonly signal: AbortSignal;
  readonly traceparent: string;
  /** Sign the call. Default: it is not signed. A call in this process never is. */
  readonly callerKeys?: CallerKeys | undefined;
}

/**
 * Sends one request and parses its response by the contract, without retries.
 *
 * @throws the TidegateError that the service answered with; TidegateError UNAVAILABLE when the service cannot be
 *   reached or something else answers in its place; INTERNAL when the response breaks the contract.
 */
export async function exchange<Definition extends OperationDefinition>(
  address: ServiceAddress,
  definition: Definition,
  input: unknown,
  options: ExchangeOptions,
): Promise<OutputOf<Definition>> {
  const response = await send(address, definition, input, options);
  const body = await readJson(response, definition, options.signal);
  if (!response.ok) {
    throw (
      decodeErrorBody(body) ?? unavailable(definition, `it answered ${response.status} and no error of ours`)
    );
  }
  const output = definition.output.safeParse(body);
  if (output.success) return output.data as OutputOf<Definition>;
  throw new TidegateError('INTERNAL', `${definition.service} gave an answer that breaks its contract.`, {
    cause: output.error,
  });
}

async function send(
  address: ServiceAddress,
  { service, kind, name }: OperationDefinition,
  input: unknown,
  { signal, traceparent, callerKeys }: ExchangeOptions,
): Promise<Response> {
  const inProcess = typeof address === 'function';
  const base = inProcess ? `http://${service}` : address.replace(/\/+$/, '');
  const path = `/${kind}/${name}`;
  const body = JSON.stringify(input);
  const request = new Request(`${base}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      traceparent,
      ...(callerKeys && !inProcess && { [CALLER_HEADER]: callerKeys.signCall({ service, path, body }) }),
    },
    body,
    redirect: 'error',
    signal,
  });
  try {
    return await (inProcess ? address(request) : fetch(request));
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable({ service }, 'it cannot be reached', error);
  }
}

async function readJson(
  response: Response,
  definition: OperationDefinition,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(definition, 'its answer broke off or is not JSON', error);
  }
}

export function unavailable({ service }: { service: string }, why: string, cause?: unknown): TidegateError {
  return new TidegateError('UNAVAILABLE', `The service ${service} is unavailable: ${why}.`, {
    cause,
    details: { service },
  });
}
