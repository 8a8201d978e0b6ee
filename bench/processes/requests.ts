/**
 * Request from a measurement to a process that it started, over the IPC channel. A request without an id gets no answer,
 * so that paced requests do not wait.
 */
interface RequestMessage {
  readonly id?: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

/** Handlers of a process by the name of the request. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers the parent's requests. Exits when the parent is gone, also after its crash. */
export function answerRequests(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: RequestMessage) => void answer(handlers, message));
}

/** Tells the parent that this process accepts requests. */
export function reportReady(facts: unknown): void {
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
