// First: it says which layer wins.
// oxlint-disable-next-line import/no-unassigned-import -- how Vite learns of styles
import './tokens.css';
import { render } from 'preact';
import { Shell, start } from './shell.tsx';
// oxlint-disable-next-line import/no-unassigned-import -- how Vite learns of styles
import './shell.css';

const root = document.querySelector('#root');
if (root) render(<Shell />, root);
void start();
