/**
 * Requests from a measurement to a process it started, over the IPC channel. A request without an id expects no
 * answer: what has to be paced must not wait for one.
 */
interface RequestMessage {
  readonly id?: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

/** The names of a process's requests, each with what it takes and what it answers. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers the parent's requests; ends this process when the parent is gone, however it went. */
export function answerRequests(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: RequestMessage) => void answer(handlers, message));
}

/** Tells the parent that requests may come. */
export function sayReady(facts: unknown): void {
  process.send?.({ ready: facts });
}

async function answer(handlers: Handlers, { id, name, argument }: RequestMessage): Promise<void> {
  try {
    const value = await handlers[name]!(argument as never);
    if (id !== undefined) process.send?.({ id, value } satisfies Answer);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (id === undefined) console.error(`${name} failed: ${text}`);
    else process.send?.({ id, error: text } satisfies Answer);
  }
}
