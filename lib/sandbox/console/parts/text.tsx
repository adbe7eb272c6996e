import { useEffect, useState } from 'preact/hooks';
import { CopyButton, run } from './controls.js';

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

interface SecretProps {
  label: string;
  /** When this changes, the secret may be another one, and is hidden. */
  of: unknown;
  reveal: () => Promise<string>;
}

/** A secret that is on the page only after somebody asks to see it. */
export function Secret({ label, of, reveal }: SecretProps) {
  const [text, setText] = useState<string>();
  useEffect(() => setText(undefined), [of]);
  const toggle = async (): Promise<void> => {
    if (text === undefined) await run(async () => setText(await reveal()));
    else setText(undefined);
  };
  return (
    <span class="secret">
      <code>{text ?? '••••••••'}</code>
      {text !== undefined && <CopyButton label={`Copy ${label}`} text={text} />}
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

/** Shown instead of a list before its first answer, which is seldom long enough to be seen. */
export function Loading() {
  return <p class="empty loading">Loading</p>;
}

/** Says that a list is not complete, and where all of it is. */
export function Rest({ path, text }: { path: string; text: string }) {
  return (
    <p class="note">
      {text} <a href={`sandbox/${path}`}>All that are kept, as JSON</a>
    </p>
  );
}
