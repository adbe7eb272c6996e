import { THEME } from './theme.js';

/** The style of every page in this folder: a card below a header, for narrow and wide windows. */
export const STYLE = `${THEME}
  * { box-sizing: border-box; }
  body {
    margin: 0;
    background: var(--background);
    color: var(--text);
    font: var(--size-body)/1.5 var(--font);
  }
  header {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    max-width: 42rem;
    margin: 0 auto;
    padding: var(--space-6) var(--space-4) var(--space-3);
    font-weight: 600;
  }
  header svg { color: var(--accent); }
  .tick { stroke: var(--on-accent); }
  header a { color: inherit; text-decoration: none; }
  main {
    max-width: 40rem;
    margin: 0 auto var(--space-8);
    padding: var(--space-6);
    background: var(--surface);
    border: 1px solid var(--border);
    border-radius: var(--radius-large);
    box-shadow: var(--shadow);
  }
  h1 { margin: 0 0 var(--space-2); font-size: var(--size-title); line-height: 1.25; }
  h2 { margin: 0; font-size: var(--size-body); }
  p { margin: 0 0 var(--space-4); }
  a { color: var(--accent); }
  a:hover { color: var(--accent-strong); }
  :focus-visible { outline: var(--focus); outline-offset: 2px; border-radius: var(--radius-small); }
  .muted { color: var(--text-muted); }

  dl {
    display: grid;
    grid-template-columns: max-content 1fr;
    gap: var(--space-1) var(--space-4);
    margin: 0 0 var(--space-4);
  }
  dt { color: var(--text-muted); }
  dd { margin: 0; overflow-wrap: anywhere; }
  .facts {
    padding: var(--space-3) var(--space-4);
    background: var(--surface-sunken);
    border-radius: var(--radius);
    font-size: var(--size-small);
  }

  .steps { display: grid; gap: var(--space-4); margin: 0; padding: 0; list-style: none; counter-reset: step; }
  .steps > li {
    padding: var(--space-4);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    counter-increment: step;
  }
  .steps h2 { display: flex; align-items: center; gap: var(--space-2); margin-bottom: var(--space-3); }
  .steps h2::before {
    content: counter(step);
    display: grid;
    place-items: center;
    width: 1.75rem;
    height: 1.75rem;
    border-radius: 50%;
    background: var(--accent-soft);
    color: var(--accent);
    font-size: var(--size-small);
  }
  .steps p:last-child { margin-bottom: 0; }
  .picture { display: block; width: 100%; max-width: 17rem; height: auto; margin: 0 auto var(--space-3); }
  .paper { fill: var(--surface-sunken); stroke: var(--border-strong); }
  .ink { fill: var(--border); }
  .person { fill: var(--accent-soft); stroke: var(--accent); }
  .ring { fill: none; stroke: var(--good); }

  details { margin: 0; }
  summary { cursor: pointer; width: fit-content; color: var(--accent); font-weight: 600; }
  details[open] summary { margin-bottom: var(--space-3); }
  .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: var(--space-3); }
  .flags { grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0 var(--space-3); }
  label { display: block; font-weight: 600; font-size: var(--size-small); }
  input, select, textarea {
    width: 100%;
    min-height: 2.5rem;
    margin-top: var(--space-1);
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--border-strong);
    border-radius: var(--radius-small);
    background: var(--surface);
    color: inherit;
    font: var(--size-body) var(--font);
  }
  textarea { font: var(--size-small) var(--font-mono); overflow-wrap: anywhere; }
  .check { display: flex; align-items: center; gap: var(--space-2); min-height: 1.75rem; font-weight: 400; }
  .check input { flex: none; width: 1.125rem; min-height: 0; height: 1.125rem; margin: 0; accent-color: var(--accent); }
  code, .check { font-family: var(--font-mono); font-size: var(--size-small); }

  fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
  .buttons { margin-top: var(--space-6); }
  legend { padding: 0; margin-bottom: var(--space-3); font-weight: 600; }
  .row { display: flex; flex-wrap: wrap; gap: var(--space-2); }
  button {
    flex: 1 1 8rem;
    min-height: 2.75rem;
    padding: var(--space-2) var(--space-4);
    border: 1px solid var(--border-strong);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    font: 600 var(--size-body) var(--font);
    cursor: pointer;
  }
  button:hover { border-color: var(--accent); background: var(--accent-soft); }
  .primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  .primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
  .quiet { flex-basis: 100%; border-color: transparent; background: none; color: var(--accent); }
  details button { flex: none; margin-top: var(--space-3); }

  .badge { padding: 0.125rem var(--space-2); border-radius: var(--radius-small); font-weight: 600; }
  .good { background: var(--good-soft); color: var(--good); }
  .warning { background: var(--warning-soft); color: var(--warning); }
  .bad { background: var(--bad-soft); color: var(--bad); }

  .framed { overflow: hidden; }
  .framed header { display: none; }
  .framed main { max-width: none; margin: 0; border: 0; border-radius: 0; box-shadow: none; }

  @media (min-width: 40rem) {
    .steps { grid-template-columns: 1fr 1fr; }
    .steps > .whole { grid-column: 1 / -1; }
  }
  @media (max-width: 30rem) {
    main { margin: 0; border-width: 1px 0 0; border-radius: 0; padding: var(--space-4); box-shadow: none; }
  }
`;
