export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

export interface EventStreamHandlers {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onComment: (text: string) => void;
}

/** Maximum size of one event. It exceeds every message of a gateway: a larger event is not of the protocol. */
const MAX_EVENT_CHARACTERS = 16 * 2 ** 20;

/** Parses `text/event-stream` incrementally, by the HTML standard. It also reports comments: they carry cursors. */
export class EventStreamParser {
  readonly #handlers: EventStreamHandlers;
  #rest = '';
  #id: string | undefined;
  #event = '';
  #data: string[] = [];
  #dataCharacters = 0;

  constructor(handlers: EventStreamHandlers) {
    this.#handlers = handlers;
  }

  /** @throws RangeError when one event exceeds its maximum size. */
  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    if (this.#rest.length + this.#dataCharacters > MAX_EVENT_CHARACTERS) {
      throw new RangeError('An event of the stream is larger than a client takes.');
    }
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (colon === 0) this.#handlers.onComment(value);
    else if (name === 'data') this.#add(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #add(data: string): void {
    this.#data.push(data);
    this.#dataCharacters += data.length;
  }

  #dispatch(): void {
    const event = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    const empty = this.#data.length === 0;
    this.#id = undefined;
    this.#event = '';
    this.#data = [];
    this.#dataCharacters = 0;
    if (!empty) this.#handlers.onEvent(event);
  }
}
