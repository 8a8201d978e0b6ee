import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '@tidegate/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { waitForCatalogue } from '../harness/graphql.ts';
import { liveCounts, type LiveCounts } from '../harness/live-counts.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

/** Status and error code of an answer, such as `400 BAD_REQUEST`; the status alone when the answer has no code. */
export type Outcome = string;

/** A row of a table of attacks. */
export type Row<Attack> = readonly [rule: string, attack: Attack, outcome: Outcome];

export interface HttpAttack {
  readonly method?: string;
  /** Default `/graphql/web`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; an object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

/** Embedded platform with its counts from before the attacks. */
export class AttackedPlatform implements AsyncDisposable {
  readonly platform: EmbeddedPlatform;
  readonly productId: string;
  readonly #before: LiveCounts;

  private constructor(platform: EmbeddedPlatform, productId: string, before: LiveCounts) {
    this.platform = platform;
    this.productId = productId;
    this.#before = before;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<AttackedPlatform> {
    const platform = await startEmbedded(env);
    try {
      const [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
      return new AttackedPlatform(platform, productId, await liveCounts(platform.webUrl));
    } catch (error) {
      await platform[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.platform.webUrl;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Sends a request. Default: a POST of JSON to the web BFF without a token. */
  async send({ method, path = '/graphql/web', headers, body }: HttpAttack): Promise<Outcome> {
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        accept: 'application/graphql-response+json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && {
        body: typeof body === 'string' || Buffer.isBuffer(body) ? (body as BodyInit) : JSON.stringify(body),
      }),
    });
    return outcomeOf(response.status, await response.text());
  }

  /** Sends bytes over TCP as they are and reads until the server closes, or has sent nothing for a second. */
  async sendRaw(bytes: string): Promise<Outcome> {
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1'))).on('error', () => undefined);
    socket.setTimeout(1_000, () => socket.destroy());
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
    return outcomeOf(Number(head.split(' ', 2)[1]), body);
  }

  /** Returns reasons for which the gateway is not as it was before the attacks: an empty list when it is healthy. */
  async harm(): Promise<string[]> {
    const reasons: string[] = [];
    const ready = await fetch(`${this.url}/readyz`);
    if (ready.status !== 200) reasons.push(`/readyz answers ${ready.status}: ${await ready.text()}`);
    const counts = async () => JSON.stringify(await liveCounts(this.url));
    const before = JSON.stringify(this.#before);
    await until(async () => (await counts()) === before, { what: 'the counts', timeoutMs: 10_000 }).catch(
      async () => reasons.push(`the counts were ${before} and are ${await counts()}`),
    );
    return [
      ...reasons,
      ...this.platform.lines.filter((line) => /"level":"?(?:error|fatal|50|60)\b/.test(line)),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.platform[Symbol.asyncDispose]();
  }
}

function outcomeOf(status: number, body: string): Outcome {
  if (/\bat .*\.[jt]s:\d+|node_modules|node:internal/.test(body)) return `${status} with a stack: ${body}`;
  const code = /"code":\s*"([A-Z_]+)"/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}

/**
 * Declares one test for each row. All attacks are sent at once, before the first test.
 *
 * @param attack also gets the expected outcome, so that it can wait for it.
 */
export function describeAttacks<Attack>(
  name: string,
  rows: readonly Row<Attack>[],
  attack: (each: Attack, expected: Outcome) => Promise<Outcome>,
): void {
  describe(`${name}:`, () => {
    const outcomes = new Map<string, Outcome>();

    beforeAll(async () => {
      await Promise.all(
        rows.map(async ([rule, each, expected]) => {
          const outcome = attack(each, expected).catch((error: unknown) => `no answer: ${String(error)}`);
          outcomes.set(rule, await outcome);
        }),
      );
    });

    it.each(rows)('%s', (rule, _attack, expected) => {
      expect(outcomes.get(rule)).toBe(expected);
    });

    it('no two rows have one title', () => {
      expect(outcomes.size).toBe(rows.length);
    });
  });
}
