import { render } from 'preact';
import '../shared/base.css';
import { applyTheme } from '../shared/theme';
import { App } from './app';
import './console.css';

applyTheme();
const root = document.getElementById('app');
if (root) render(<App />, root);
