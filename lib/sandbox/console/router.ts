import { useEffect, useState } from 'preact/hooks';

/** The views, as the address has them after `#/`. */
export const VIEWS = ['transactions', 'requests', 'webhooks', 'faults', 'clock'] as const;

/** One of {@link VIEWS}. */
export type View = (typeof VIEWS)[number];

/** What the address shows: a view, and perhaps one item of it. */
export interface Route {
  view: View;
  id: string | undefined;
}

/** The address of a view, or of an item in it. */
export function hrefOf(view: View, id?: string): string {
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
}

/** The route of the address, which it follows. */
export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const follow = (): void => setRoute(currentRoute());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

function currentRoute(): Route {
  const [, name, id] = location.hash.split('/');
  const view = VIEWS.find((known) => known === name) ?? 'transactions';
  return { view, id: id ? decode(id) : undefined };
}

/** An address that somebody mistyped shows nothing rather than an error. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
