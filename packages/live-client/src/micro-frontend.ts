import type { LiveClient } from './live-client.ts';

/**
 * The contract between the shell and what it shows. A micro-frontend's module exports `mount`; everything else about
 * it is its own: framework, state, releases.
 *
 * It draws inside `element` and nowhere else, keeps its CSS inside `@scope ([data-mfe=NAME])`, uses the shell's
 * custom properties (`--td-*`) for colours so that light and dark agree, and leaves nothing behind when `unmount` is
 * called: no timer, no listener, no subscription.
 */
export interface MicroFrontend {
  readonly mount: (element: HTMLElement, context: MountContext) => Unmount;
}

export type Unmount = () => void;

export interface MountContext {
  /** Shared by everything on the page: one connection. Do not close it. */
  readonly client: LiveClient;
  /** Who is looking. Another viewer means unmount and mount. */
  readonly viewer: Viewer;
  /** Goes to a path of the page without loading it again. */
  readonly navigate: (path: string) => void;
  readonly location: LocationReader;
  /** Call it when you cannot go on: the shell then shows its placeholder with a button to try again. */
  readonly fail: (error: unknown) => void;
}

export interface LocationReader {
  /** The path now, e.g. `/orders/42`. */
  readonly path: () => string;
  /** Called after each change of the path, until the returned function is called. */
  readonly subscribe: (onChange: () => void) => () => void;
}

export interface Viewer {
  readonly id: string;
  readonly role: 'customer' | 'operator' | 'partner';
}
