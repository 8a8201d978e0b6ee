/** Navigates without reloading the page, unless the click asks for a new tab or window. */
export function followInside(event: MouseEvent, navigate: (path: string) => void): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate((event.currentTarget as HTMLAnchorElement).pathname);
}
