import { useMemo } from 'preact/hooks';
import { pagePattern, pages } from './pages.ts';
import { RemoteOutlet } from './remote-outlet.tsx';
import type { Router } from './router.ts';
import type { Session } from './session.ts';
import type { SignIn } from './sign-in.ts';
import { TokenForm } from './token-form.tsx';
import { TopBar } from './top-bar.tsx';

export interface ShellProps {
  readonly signIn: SignIn;
  readonly router: Router;
}

/** Remotes by path: the first pattern that matches decides. */
const routes = pages.map((page) => ({ pattern: pagePattern(page), remote: 'orders', title: 'Orders' }));

export function Shell({ signIn, router }: ShellProps) {
  const now = signIn.state.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar
        session={now.at === 'ready' ? now.session : undefined}
        router={router}
        onSwitch={(id) => void signIn.switchTo(id)}
        onLeave={() => signIn.signOut()}
        onSignIn={() => void signIn.again()}
      />
      <main id="main" tabIndex={-1}>
        {now.at === 'ready' && signIn.isAsking.value && (
          <TokenForm title="Sign in again" onToken={(token) => signIn.continueWith(token)} />
        )}
        {now.at === 'token' && <TokenForm onToken={(token) => signIn.useToken(token)} />}
        {now.at === 'failed' && (
          <div class="placeholder" role="alert">
            <h2>Tidegate cannot be reached</h2>
            <p>{now.reason}</p>
            <button type="button" onClick={() => void signIn.resume()}>
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
