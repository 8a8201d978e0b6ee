import { leaseClient, type LiveClient } from '@tidegate/live-client';
import type { MountContext, Unmount } from '@tidegate/live-client/micro-frontend';
import { loadRemote } from './load-remote.ts';

export interface RemoteOptions {
  readonly name: string;
  /** 1 for the first load; each retry counts one more. */
  readonly attempt: number;
  readonly context: Omit<MountContext, 'fail'>;
}

/** A remote that is not drawn after this time has failed. */
const FAILED_AFTER_MS = 10_000;

/** One attempt to show a remote. It ends once: by `end()`, or by a failure at any time, also while it draws. */
export class MountedRemote {
  readonly #element: HTMLElement;
  readonly #options: RemoteOptions;
  readonly #onFailed: (error: unknown) => void;
  readonly #ended = new AbortController();
  /** Ends with this attempt, so that a remote leaves no subscription behind. */
  readonly #client: LiveClient;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #unmount: Unmount | undefined;
  #failed = false;

  /** @param onFailed called once, and not after `end()`. */
  constructor(element: HTMLElement, options: RemoteOptions, onFailed: (error: unknown) => void) {
    this.#element = element;
    this.#options = options;
    this.#onFailed = onFailed;
    this.#client = leaseClient(options.context.client);
    this.#deadline = setTimeout(
      () => this.#fail(new Error(`It was not there after ${FAILED_AFTER_MS / 1_000} seconds.`)),
      FAILED_AFTER_MS,
    );
  }

  /** Resolves with true when the remote is drawn. Never rejects. */
  async start(): Promise<boolean> {
    const { name, attempt, context } = this.#options;
    // An attempt that has ended may still draw: it gets an element of its own.
    const root = document.createElement('div');
    root.className = 'remote-root';
    try {
      const { mount } = await loadRemote(name, attempt, this.#ended.signal);
      if (this.#ended.signal.aborted) return false;
      this.#element.replaceChildren(root);
      const fail = (error: unknown): void => this.#fail(error);
      const unmount = await mount(root, { ...context, client: this.#client, fail });
      // The remote may have failed while it drew.
      if (this.#failed || this.#ended.signal.aborted) {
        callSafely(unmount);
        return false;
      }
      this.#unmount = unmount;
      clearTimeout(this.#deadline);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    clearTimeout(this.#deadline);
    const unmount = this.#unmount;
    if (unmount) callSafely(unmount);
    this.#client.close();
    this.#element.replaceChildren();
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#ended.signal.aborted) return;
    this.#failed = true;
    console.error(`micro-frontend ${this.#options.name}:`, error);
    this.#onFailed(error);
    // A remote may report from inside its rendering, which has to end before it is unmounted.
    queueMicrotask(() => this.end());
  }
}

function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    console.error(error);
  }
}
