/**
 * What all pages of the sandbox share, as CSS custom properties: colors, fonts, spacing, corners.
 * Every text color has at least 4.5:1 on `--background`, `--surface` and its own `-soft` color; the
 * borders of controls, `--border-strong`, have 3:1. [WCAG 2.2 sections 1.4.3 and 1.4.11]
 *
 * A page may set `color-scheme` on `:root` to overrule the preference of the browser.
 */
export const THEME = `
  :root {
    color-scheme: light dark;

    --background: light-dark(#f5f6fb, #0e1019);
    --surface: light-dark(#ffffff, #171a27);
    --surface-sunken: light-dark(#eef0f7, #11131e);
    --border: light-dark(#dadeea, #2b3044);
    --border-strong: light-dark(#7d849c, #737b99);
    --text: light-dark(#191c2b, #e9ebf5);
    --text-muted: light-dark(#565c73, #a4abc4);

    --accent: light-dark(#4338ca, #a5b4fc);
    --accent-strong: light-dark(#3730a3, #c7d2fe);
    --accent-soft: light-dark(#eceefe, #24284a);
    --on-accent: light-dark(#ffffff, #14163a);

    --good: light-dark(#04684c, #6ee7b7);
    --good-soft: light-dark(#e2f6ec, #0f3329);
    --warning: light-dark(#854d0e, #fcd34d);
    --warning-soft: light-dark(#fdf3d7, #392d0c);
    --bad: light-dark(#b42318, #fda4a4);
    --bad-soft: light-dark(#fdeceb, #43191d);

    --font: system-ui, sans-serif;
    --font-mono: ui-monospace, 'SFMono-Regular', Menlo, Consolas, monospace;
    --size-small: 0.8125rem;
    --size-body: 1rem;
    --size-large: 1.25rem;
    --size-title: 1.625rem;

    --space-1: 0.25rem;
    --space-2: 0.5rem;
    --space-3: 0.75rem;
    --space-4: 1rem;
    --space-6: 1.5rem;
    --space-8: 2rem;

    --radius-small: 0.375rem;
    --radius: 0.625rem;
    --radius-large: 1rem;
    --shadow: 0 1px 2px light-dark(#1b1e2b1f, #00000066), 0 8px 24px light-dark(#1b1e2b14, #0000004d);
    --focus: 0.1875rem solid var(--accent);
  }
`;
