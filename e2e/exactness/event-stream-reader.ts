/** One event of an event stream. */
export interface StreamEvent {
  readonly type: string;
  /** `id:` of this event itself, not of an earlier one. */
  readonly id: string | undefined;
  /** Undefined without a `data:` line: EventSource does not dispatch such an event. */
  readonly data: string | undefined;
}

/** Parses an event stream with LF line ends, as the gateway writes it. Skips comments. */
export class EventStreamReader {
  readonly #onEvent: (event: StreamEvent) => void;
  #rest = '';
  #fields = new Map<string, string>();

  constructor(onEvent: (event: StreamEvent) => void) {
    this.#onEvent = onEvent;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#parseLine(line);
  }

  #parseLine(line: string): void {
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
