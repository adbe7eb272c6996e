import { render } from 'preact';

const root = document.getElementById('console');
if (root) render(<p>Console</p>, root);
