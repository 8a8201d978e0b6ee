import { LiveClientError } from '@tidegate/live-client';
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

  readonly #isAsking = signal(false);

  /** True while a signed-out viewer is asked for a token, above the page that stays as it is. */
  get isAsking(): ReadonlySignal<boolean> {
    return this.#isAsking;
  }

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

  /** Connects the present session with a new token. Asks for one where the server issues none. */
  async again(): Promise<void> {
    if (this.#state.value.at !== 'ready') return;
    const { session } = this.#state.value;
    const isRefused = session.status.value.at === 'refused';
    if (session.identity.source === 'pasted' && !isRefused) {
      this.#isAsking.value = true;
      return;
    }
    if (isRefused) return this.resume();
    try {
      await session.identity.token({ refresh: true });
      session.client.retryNow();
    } catch (error) {
      // Any other error is of the issuer, and passes.
      if (error instanceof LiveClientError) this.#isAsking.value = true;
    }
  }

  /** Continues the session, or starts that of another viewer. @throws Error when the text is not a token. */
  continueWith(token: string): void {
    if (this.#state.value.at !== 'ready') return this.useToken(token);
    const { session } = this.#state.value;
    if (session.identity.accept(token)) {
      this.#isAsking.value = false;
      session.client.retryNow();
    } else {
      this.useToken(token);
    }
  }

  signOut(): void {
    forgetToken();
    this.#endSession();
    this.#state.value = { at: 'token' };
  }

  #endSession(): void {
    this.#isAsking.value = false;
    if (this.#state.value.at === 'ready') this.#state.value.session.close();
    this.#state.value = { at: 'starting' };
  }
}
