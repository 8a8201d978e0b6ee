import { signal, type ReadonlySignal } from '@preact/signals';
import type { LocationReader } from '@tidegate/live-client/micro-frontend';

/** Reads and changes the page's path through the History API. */
export interface Router {
  readonly path: ReadonlySignal<string>;
  readonly navigate: (path: string) => void;
  /** The same path without signals, for remotes of any framework. */
  readonly location: LocationReader;
}

export function createRouter(): Router {
  const path = signal(window.location.pathname);
  window.addEventListener('popstate', () => {
    path.value = window.location.pathname;
  });
  return {
    path,
    navigate(to) {
      if (to === path.value) return;
      history.pushState(null, '', to);
      path.value = to;
    },
    location: {
      path: () => path.value,
      subscribe(onChange) {
        let first = true;
        return path.subscribe(() => {
          if (!first) onChange();
          first = false;
        });
      },
    },
  };
}

/** Navigates without reloading the page, unless the click asks for a new tab or window. */
export function followInside(event: MouseEvent, navigate: (path: string) => void): void {
  const link = event.currentTarget as HTMLAnchorElement;
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(link.pathname);
}
