import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { hrefOf, type View } from '../router.js';

/**
 * One item beside its list. It gets the focus when it opens, unless the page opened with it, and gives
 * it back to what had it before. The Escape key closes it.
 *
 * @param problem why there is nothing to show
 */
export function Panel({
  label,
  list,
  problem,
  children,
}: {
  label: string;
  list: View;
  problem: string;
  children: ComponentChildren;
}) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    if (opener === document.body) return undefined;
    panel.current?.focus();
    return () => {
      // It was in the panel, which is gone.
      const isLost = document.activeElement === document.body;
      if (isLost && opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const close = ({ key, target }: KeyboardEvent): void => {
    const isInDialog = (target as Element).closest('dialog') !== null;
    if (key === 'Escape' && !isInDialog) location.hash = hrefOf(list);
  };
  return (
    <section ref={panel} class="panel" aria-label={label} tabIndex={-1} onKeyDown={close}>
      <p class="panel-close">
        <a href={hrefOf(list)}>Close</a>
      </p>
      {problem && <p role="alert">{problem}</p>}
      {children}
    </section>
  );
}

/** Names and values, such as headers; a value may have several lines. */
export function Facts({ facts }: { facts: Readonly<Record<string, string | string[]>> }) {
  return (
    <dl class="facts mono">
      {Object.entries(facts).map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{[value].flat().join(', ')}</bdi>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** JSON with indentation; any other text as it is. */
export function Body({ text }: { text: string }) {
  return <pre tabIndex={0}>{indented(text)}</pre>;
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
