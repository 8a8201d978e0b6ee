// Imported first: it declares the order of the CSS layers.
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './tokens.css';
import { render } from 'preact';
import { createRouter } from './router.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.ts';
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './shell.css';

const signIn = new SignIn();
const root = document.querySelector('#root');
if (root) render(<Shell signIn={signIn} router={createRouter()} />, root);
void signIn.resume();
