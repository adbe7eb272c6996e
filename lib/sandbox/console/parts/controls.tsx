import type { ComponentChildren, JSX, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { notify } from '../store.js';
import { dismiss, Notice } from './notice.js';

/**
 * Runs what a button does, and tells its outcome.
 *
 * @param done what to tell when it has worked; nothing without it
 * @returns whether it has worked
 */
export async function run(action: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await action();
    if (done !== undefined) notify(done);
    return true;
  } catch (error) {
    notify((error as Error).message, true);
    return false;
  }
}

interface ButtonProps {
  children: ComponentChildren;
  onClick: () => Promise<unknown> | void;
  kind?: 'primary' | 'danger' | 'quiet' | undefined;
  disabled?: boolean | undefined;
  title?: string | undefined;
  /** What a screen reader announces, if the text needs its surroundings. */
  label?: string | undefined;
}

/** A button that cannot be pressed again while it works. */
export function Button({ children, onClick, kind, disabled, title, label }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = (): void => {
    const work = onClick();
    if (work === undefined) return;
    setBusy(true);
    void work.finally(() => setBusy(false));
  };
  return (
    <button
      type="button"
      class={kind && `button-${kind}`}
      disabled={disabled || busy}
      title={title}
      aria-label={label}
      onClick={press}
    >
      {children}
    </button>
  );
}

const NO_CLIPBOARD =
  'Browsers copy only over https, and on this machine. Select the text, and copy it by hand.';

/** Copies a text, and says so. */
export function CopyButton({
  text,
  label,
  children = 'Copy',
  copied = 'Copied.',
}: {
  text: string | (() => Promise<string>);
  label: string;
  children?: string;
  /** What to tell afterwards. */
  copied?: string;
}) {
  const copy = async (): Promise<void> => {
    if (!navigator.clipboard) throw new Error(NO_CLIPBOARD);
    await navigator.clipboard.writeText(typeof text === 'string' ? text : await text());
  };
  return (
    <Button kind="quiet" label={label} onClick={() => run(copy, copied)}>
      {children}
    </Button>
  );
}

/** A form whose button submits it; the browser checks its fields. */
export function Form({
  children,
  submit,
  onSubmit,
}: {
  children: ComponentChildren;
  submit: string;
  onSubmit: (values: FormData) => Promise<unknown>;
}) {
  const [busy, setBusy] = useState(false);
  const send = (event: TargetedEvent<HTMLFormElement, SubmitEvent>): void => {
    event.preventDefault();
    setBusy(true);
    void onSubmit(new FormData(event.currentTarget)).finally(() => setBusy(false));
  };
  return (
    <form onSubmit={send}>
      {children}
      <button class="button-primary" disabled={busy}>
        {submit}
      </button>
    </form>
  );
}

/** A labelled control. */
export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: string;
  children: JSX.Element;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** A window above the page, which Escape and its button close. */
export function Dialog({
  title,
  children,
  onClose,
}: {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // It is about something else.
    dismiss();
    dialog.current?.showModal();
    // The first control is the button that closes it.
    dialog.current?.querySelector<HTMLElement>('form input, form select')?.focus();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <Button kind="quiet" onClick={() => dialog.current?.close()}>
          Close
        </Button>
      </header>
      {children}
      <Notice />
    </dialog>
  );
}
