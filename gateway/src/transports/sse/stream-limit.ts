import type { IncomingMessage } from 'node:http';
import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/errors';
import type { SseStream } from './sse-stream.ts';

/** Who is counted: the viewer, or for those without a token the address they come from. */
export function holderOf(viewer: Viewer, request: IncomingMessage): string {
  return viewer.role === 'anonymous'
    ? `address ${request.socket.remoteAddress ?? ''}`
    : `${viewer.role} ${viewer.id}`;
}

/** Every event stream of one BFF in this process: so many for each holder, and all of them ended together. */
export class StreamLimit {
  readonly #maxPerHolder: number;
  readonly #counts = new Map<string, number>();
  readonly #streams = new Set<SseStream>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(maxPerHolder: number) {
    this.#maxPerHolder = maxPerHolder;
  }

  /** Makes a stream and counts it until it ends. @throws TidegateError TOO_MANY_SUBSCRIPTIONS */
  admit(holder: string, create: (onEnd: () => void) => SseStream): SseStream {
    const count = this.#counts.get(holder) ?? 0;
    if (count >= this.#maxPerHolder) {
      throw new TidegateError(
        'TOO_MANY_SUBSCRIPTIONS',
        `At most ${this.#maxPerHolder} event streams at a time; close some first.`,
      );
    }
    this.#counts.set(holder, count + 1);
    const stream = create(() => {
      this.#streams.delete(stream);
      this.#release(holder);
      if (this.#streams.size === 0) this.#empty?.resolve();
    });
    this.#streams.add(stream);
    return stream;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Cuts every stream, each at a time of its own within the window, so that clients do not come back as a herd. */
  async cutAll(windowMs: number): Promise<void> {
    if (this.#streams.size === 0) return;
    this.#empty ??= Promise.withResolvers<void>();
    for (const stream of [...this.#streams]) {
      if (windowMs <= 0) stream.cut();
      else stream.expireAt(Date.now() + Math.random() * windowMs);
    }
    await this.#empty.promise;
  }

  #release(holder: string): void {
    const left = (this.#counts.get(holder) ?? 1) - 1;
    if (left > 0) this.#counts.set(holder, left);
    else this.#counts.delete(holder);
  }
}
