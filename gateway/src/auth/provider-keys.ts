import { TidegateError } from '@tidegate/core';
import { describeFailure } from '@tidegate/runtime/process';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type LocalJWKSet,
} from 'jose';
import { fetchJson } from './fetch-json.ts';
import type { AuthMetrics } from './metrics.ts';

export interface ProviderKeysOptions {
  /** Name of the provider in logs and metrics: its issuer or the address of its keys. */
  readonly provider: string;
  /** Resolves with the address of the key set. Called before each fetch. */
  readonly locate: (timeoutMs: number) => Promise<string>;
  /** Age in milliseconds at which the keys are fetched again. */
  readonly maxAgeMs: number;
  /** Age in milliseconds until which the keys are used while the provider is away. */
  readonly maxStaleMs: number;
  /** Minimum time in milliseconds between two fetches for keys that are not known. */
  readonly cooldownMs: number;
  /** Deadline of a fetch in milliseconds. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly metrics: AuthMetrics;
  readonly clock: () => number;
}

/** Pauses after failed fetches in milliseconds: the first is doubled up to the last. */
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
/** Maximum number of key ids that are remembered as not served, and their length. */
const MAX_MISSING = 1_000;
const MAX_KEY_ID = 200;

/**
 * The public keys of one identity provider. They are fetched at first use, again when they are old and when a token
 * names an unknown one, and kept while the provider cannot be reached. One fetch serves all that wait for it.
 */
export class ProviderKeys {
  readonly #options: ProviderKeysOptions;
  #keys: LocalJWKSet | undefined;
  #fetchedAtMs = 0;
  #fetching: Promise<LocalJWKSet> | undefined;
  #failures = 0;
  #retryAtMs = 0;
  #searchedAtMs = -Infinity;
  /** Key ids that were not in the newest key set, although it was fetched to find them. */
  readonly #missing = new Set<string>();

  constructor(options: ProviderKeysOptions) {
    this.#options = options;
  }

  /**
   * Returns the key that a token names.
   *
   * @throws JWKSNoMatchingKey when the provider serves no such key, JWKSMultipleMatchingKeys when several fit a token
   *   that names none, TidegateError UNAVAILABLE with `details.retryAfterMs` when that cannot be known.
   */
  async find(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const keys = await this.#current();
    try {
      return await lookUp(keys, header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    return lookUp(await this.#search(header.kid), header, token).catch((error: unknown) => {
      if (error instanceof errors.JWKSNoMatchingKey) this.#rememberMissing(header.kid);
      throw error;
    });
  }

  /** Fetches the keys again for a token that names none and fits none. Returns false during the cool-down. */
  async renew(): Promise<boolean> {
    if (this.#cooldownLeftMs() > 0) return false;
    await this.#search(undefined);
    return true;
  }

  async #current(): Promise<LocalJWKSet> {
    const { maxAgeMs, maxStaleMs, clock } = this.#options;
    const ageMs = clock() - this.#fetchedAtMs;
    if (!this.#keys || ageMs >= maxStaleMs) return this.#refresh();
    if (ageMs >= maxAgeMs && clock() >= this.#retryAtMs) {
      const refreshed = this.#refresh().catch(() => undefined);
      // Keys that nobody asked for in a long time may have been withdrawn since.
      if (ageMs >= 2 * maxAgeMs && this.#failures === 0) return (await refreshed) ?? this.#keys;
    }
    return this.#keys;
  }

  /** Fetches the keys for one that is not among them. */
  async #search(keyId: string | undefined): Promise<LocalJWKSet> {
    if (this.#fetching) return this.#fetching;
    const leftMs = this.#cooldownLeftMs();
    if (leftMs > 0) {
      if (keyId === undefined || this.#missing.has(keyId)) throw new errors.JWKSNoMatchingKey();
      throw unavailable(leftMs);
    }
    const keys = await this.#refresh();
    this.#searchedAtMs = this.#options.clock();
    return keys;
  }

  #cooldownLeftMs(): number {
    return this.#searchedAtMs + this.#options.cooldownMs - this.#options.clock();
  }

  #rememberMissing(keyId: string | undefined): void {
    if (keyId === undefined || keyId.length > MAX_KEY_ID || this.#missing.size >= MAX_MISSING) return;
    this.#missing.add(keyId);
  }

  /** @throws TidegateError UNAVAILABLE; without a fetch during the pause after a failed one. */
  #refresh(): Promise<LocalJWKSet> {
    const pauseMs = this.#retryAtMs - this.#options.clock();
    if (!this.#fetching && pauseMs > 0) return Promise.reject(unavailable(pauseMs));
    return (this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined)));
  }

  async #fetch(): Promise<LocalJWKSet> {
    const { locate, timeoutMs, clock, provider, metrics, logger } = this.#options;
    try {
      const keys = parseKeys(await fetchJson(await locate(timeoutMs), timeoutMs));
      if (this.#failures > 0) logger.warn({ provider }, 'the keys of the identity provider are served again');
      this.#keys = keys;
      this.#fetchedAtMs = clock();
      this.#failures = 0;
      this.#retryAtMs = 0;
      this.#missing.clear();
      metrics.fetches.inc({ provider, outcome: 'fetched' });
      metrics.staleKeys.set({ provider }, 0);
      return keys;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): TidegateError {
    const { clock, provider, metrics, logger, maxStaleMs } = this.#options;
    const pauseMs = Math.min(RETRY.firstMs * 2 ** this.#failures, RETRY.maxMs);
    this.#failures += 1;
    this.#retryAtMs = clock() + pauseMs;
    const reason = describeFailure(error);
    const ageMs = clock() - this.#fetchedAtMs;
    const kept = this.#keys !== undefined && ageMs < maxStaleMs;
    metrics.fetches.inc({ provider, outcome: 'failed' });
    metrics.staleKeys.set({ provider }, kept ? 1 : 0);
    logger.warn(
      { provider, reason, retryMs: pauseMs, ...(kept && { keysAgeMs: ageMs }) },
      kept
        ? `the keys of the identity provider cannot be fetched (${reason}); the known ones stay in use`
        : `the keys of the identity provider cannot be fetched (${reason}); no token can be verified`,
    );
    return unavailable(pauseMs, error);
  }
}

/** A key that matches and cannot be imported is a fault of the provider, not of the token. */
async function lookUp(
  keys: LocalJWKSet,
  header: JWTHeaderParameters,
  token: FlattenedJWSInput,
): Promise<CryptoKey> {
  try {
    return await keys(header, token);
  } catch (error) {
    const ofToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
    if (ofToken.some((each) => error instanceof each)) throw error;
    throw unavailable(RETRY.firstMs, error);
  }
}

/** An empty set is a fault of the provider: it would refuse every token. */
function parseKeys(document: unknown): LocalJWKSet {
  const keys = createLocalJWKSet(document as JSONWebKeySet);
  if ((document as JSONWebKeySet).keys.length === 0) throw new Error('the key set is empty');
  return keys;
}

function unavailable(retryAfterMs: number, cause?: unknown): TidegateError {
  return new TidegateError('UNAVAILABLE', 'The keys to verify tokens with cannot be reached at the moment.', {
    details: { retryAfterMs: Math.ceil(retryAfterMs) },
    cause,
  });
}
