import type { LiveClient } from './live-client.ts';

/**
 * Contract between the shell and a remote. The remote's module exports `mount`. Framework, state and releases are its
 * own choice. A remote
 *
 * - MUST render inside `element` only;
 * - MUST keep its CSS inside `@scope ([data-mfe=NAME])`;
 * - SHOULD take colours from the shell's custom properties (`--td-*`), so that light and dark mode agree;
 * - MUST leave no timer, listener or subscription behind after `unmount`.
 *
 * @example
 * ```ts
 * import type { MountContext, Unmount } from '@tidegate/live-client/micro-frontend';
 *
 * export function mount(element: HTMLElement, { client, fail }: MountContext): Unmount {
 *   return client.subscribe<{ sensors: { id: string } }>({
 *     query: 'subscription { sensors { id } }',
 *     onResult: ({ data }) => element.append(data?.sensors.id ?? ''),
 *     onError: fail,
 *   });
 * }
 * ```
 */
export interface MicroFrontend {
  readonly mount: (element: HTMLElement, context: MountContext) => Unmount | Promise<Unmount>;
}

export type Unmount = () => void;

export interface MountContext {
  /**
   * Client over the page's one connection, which all remotes share. `close()` ends the subscriptions of this remote
   * only; the shell calls it after `unmount`.
   */
  readonly client: LiveClient;
  /** The signed-in viewer. When it changes, the shell unmounts the remote and mounts it again. */
  readonly viewer: Viewer;
  /** Navigates to a path of the page without reloading it. */
  readonly navigate: (path: string) => void;
  readonly location: LocationReader;
  /** Reports a fatal error: the shell shows a placeholder with a retry button instead of the remote. */
  readonly fail: (error: unknown) => void;
}

export interface LocationReader {
  /** Returns the current path, e.g. `/sensors/kitchen`. */
  readonly path: () => string;
  /** Calls `onChange` after each change of the path. Returns an unsubscribe function. */
  readonly subscribe: (onChange: () => void) => () => void;
}

export interface Viewer {
  readonly id: string;
  /** Role claim of the viewer's token. */
  readonly role: string;
}
