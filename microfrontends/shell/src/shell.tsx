import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import {
  becomeDemoViewer,
  becomeTokenHolder,
  demoViewers,
  forgetToken,
  NoDemonstrationError,
  rememberedToken,
  rememberedViewer,
} from './identity.ts';
import { RemoteOutlet } from './remote-outlet.tsx';
import { createRouter, type Router } from './router.ts';
import { startSession, type Session } from './session.ts';
import { TokenForm } from './token-form.tsx';
import { TopBar } from './top-bar.tsx';

type State =
  | { at: 'starting' }
  | { at: 'token' }
  | { at: 'failed'; reason: string }
  | { at: 'ready'; session: Session };

let switches = 0;
const router = createRouter();
const state = signal<State>({ at: 'starting' });

/** Which remote shows which path: the first whose pattern fits. */
const routes = [{ pattern: /^\/(new|orders(\/[^/]+)?)?$/, remote: 'orders', title: 'Orders' }];

/** Becomes who one was before, or whom a server allows one to be. */
export async function start(): Promise<void> {
  const token = rememberedToken();
  if (token !== null) return holdToken(token);
  await switchTo(rememberedViewer().id);
}

async function switchTo(viewerId: string): Promise<void> {
  const viewer = demoViewers.find(({ id }) => id === viewerId) ?? rememberedViewer();
  end();
  const mine = (switches += 1);
  try {
    const identity = await becomeDemoViewer(viewer);
    // Whoever chose again meanwhile is not put back.
    if (mine === switches) state.value = { at: 'ready', session: startSession(identity) };
  } catch (error) {
    if (mine !== switches) return;
    state.value =
      error instanceof NoDemonstrationError
        ? { at: 'token' }
        : { at: 'failed', reason: (error as Error).message };
  }
}

function holdToken(token: string): void {
  const identity = becomeTokenHolder(token);
  end();
  state.value = { at: 'ready', session: startSession(identity) };
}

function leave(): void {
  forgetToken();
  end();
  state.value = { at: 'token' };
}

function end(): void {
  if (state.value.at === 'ready') state.value.session.close();
  state.value = { at: 'starting' };
}

export function Shell() {
  const now = state.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar
        session={now.at === 'ready' ? now.session : undefined}
        router={router}
        onSwitch={(id) => void switchTo(id)}
        onLeave={leave}
      />
      <main id="main" tabIndex={-1}>
        {now.at === 'token' && <TokenForm onToken={holdToken} />}
        {now.at === 'failed' && (
          <div class="placeholder" role="alert">
            <h2>Tidegate cannot be reached</h2>
            <p>{now.reason}</p>
            <button type="button" onClick={() => void start()}>
              Try again
            </button>
          </div>
        )}
        {now.at === 'ready' && (
          <Content key={now.session.identity.viewer.id} session={now.session} router={router} />
        )}
      </main>
    </>
  );
}

function Content({ session, router: { path, navigate, location } }: { session: Session; router: Router }) {
  const context = useMemo(
    () => ({ client: session.client, viewer: session.identity.viewer, navigate, location }),
    [session, navigate, location],
  );
  const route = routes.find(({ pattern }) => pattern.test(path.value));
  if (route)
    return <RemoteOutlet key={route.remote} name={route.remote} title={route.title} context={context} />;
  return (
    <div class="placeholder">
      <h2>There is nothing at {path.value}</h2>
      <button type="button" onClick={() => navigate('/')}>
        To the board
      </button>
    </div>
  );
}
