/** A link that stays on the page, unless the person asks for a new tab. */
export function followInside(event: MouseEvent, navigate: (path: string) => void): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate((event.currentTarget as HTMLAnchorElement).pathname);
}
