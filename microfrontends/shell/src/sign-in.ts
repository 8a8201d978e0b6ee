import { signal, type ReadonlySignal } from '@preact/signals';
import {
  createDemoIdentity,
  createTokenIdentity,
  DemoTokensDisabledError,
  demoViewers,
  forgetToken,
  rememberedToken,
  rememberedViewer,
} from './identity.ts';
import { startSession, type Session } from './session.ts';

export type SignInState =
  | { at: 'starting' }
  /** The server issues no demo tokens: the viewer has to paste one. */
  | { at: 'token' }
  | { at: 'failed'; reason: string }
  | { at: 'ready'; session: Session };

/** Owns the session of the page's current viewer. */
export class SignIn {
  readonly #state = signal<SignInState>({ at: 'starting' });
  /** Number of the current switch: the result of an earlier one is discarded. */
  #switches = 0;

  get state(): ReadonlySignal<SignInState> {
    return this.#state;
  }

  /** Signs in with the token or viewer that this tab remembers, else as the first demo viewer. */
  async resume(): Promise<void> {
    const token = rememberedToken();
    if (token !== null) return this.useToken(token);
    await this.switchTo(rememberedViewer().id);
  }

  async switchTo(viewerId: string): Promise<void> {
    const viewer = demoViewers.find(({ id }) => id === viewerId) ?? rememberedViewer();
    this.#endSession();
    const current = (this.#switches += 1);
    try {
      const identity = await createDemoIdentity(viewer);
      if (current === this.#switches) this.#state.value = { at: 'ready', session: startSession(identity) };
    } catch (error) {
      if (current !== this.#switches) return;
      this.#state.value =
        error instanceof DemoTokensDisabledError
          ? { at: 'token' }
          : { at: 'failed', reason: (error as Error).message };
    }
  }

  /** @throws Error with a sentence for the viewer when the text is not a token. */
  useToken(token: string): void {
    const identity = createTokenIdentity(token);
    this.#endSession();
    this.#state.value = { at: 'ready', session: startSession(identity) };
  }

  signOut(): void {
    forgetToken();
    this.#endSession();
    this.#state.value = { at: 'token' };
  }

  #endSession(): void {
    if (this.#state.value.at === 'ready') this.#state.value.session.close();
    this.#state.value = { at: 'starting' };
  }
}
