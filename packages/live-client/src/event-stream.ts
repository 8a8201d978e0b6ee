export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

export interface EventStreamHandlers {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onComment: (text: string) => void;
}

/** More than any message a gateway sends; who sends more than this in one event is not speaking the protocol. */
const MAX_EVENT_CHARACTERS = 16 * 2 ** 20;

/**
 * Reads `text/event-stream` as the HTML standard says, piece by piece, and comments besides: they carry positions.
 *
 * @throws RangeError from `push` when one event grows beyond what it may.
 */
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
