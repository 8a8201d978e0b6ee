/** What stands between two empty lines of an event stream. */
export interface StreamEvent {
  readonly type: string;
  /** The `id:` of this very event, not that of an earlier one. */
  readonly id: string | undefined;
  /** Undefined without a `data:` line: EventSource would hand such an event to nobody. */
  readonly data: string | undefined;
}

/** Cuts an event stream as the gateway writes it (a line ends with LF) into its events; comments are left out. */
export class EventStreamReader {
  readonly #onEvent: (event: StreamEvent) => void;
  #rest = '';
  #fields = new Map<string, string>();

  constructor(onEvent: (event: StreamEvent) => void) {
    this.#onEvent = onEvent;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon <= 0) return;
    const value = line.slice(colon + 1).replace(/^ /, '');
    this.#fields.set(line.slice(0, colon), value);
  }

  #dispatch(): void {
    const fields = this.#fields;
    if (fields.size === 0) return;
    this.#fields = new Map();
    this.#onEvent({ type: fields.get('event') ?? 'message', id: fields.get('id'), data: fields.get('data') });
  }
}
