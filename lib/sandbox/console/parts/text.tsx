import { useState } from 'preact/hooks';
import { run } from './controls.js';

/**
 * Something long that somebody else chose, such as a customer uid: cut where there is no room, whole in
 * its title, and never mixed up with the text around it.
 */
export function Uid({ text }: { text: string }) {
  return (
    <bdi class="uid" title={text}>
      {text}
    </bdi>
  );
}

/** A secret that is on the page only after somebody asks to see it. */
export function Secret({ label, reveal }: { label: string; reveal: () => Promise<string> }) {
  const [text, setText] = useState<string>();
  const toggle = async (): Promise<void> => {
    if (text === undefined) await run(async () => setText(await reveal()));
    else setText(undefined);
  };
  return (
    <span class="secret">
      <code>{text ?? '••••••••'}</code>
      <button
        type="button"
        class="button-quiet"
        aria-label={`${text === undefined ? 'Show' : 'Hide'} ${label}`}
        onClick={() => void toggle()}
      >
        {text === undefined ? 'Show' : 'Hide'}
      </button>
    </span>
  );
}

/** Shown instead of an empty list, with what to do about it. */
export function Empty({ children }: { children: preact.ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
