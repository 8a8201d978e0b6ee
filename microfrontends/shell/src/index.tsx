import { render } from 'preact';
import { Shell, start } from './shell.tsx';
import './shell.css';

const root = document.querySelector('#root');
if (root) render(<Shell />, root);
void start();
