import { useState } from 'preact/hooks';
import { call, type TransactionDetails } from '../api.js';
import { Button, Dialog, Field, Form, run } from '../parts/controls.js';

/** What a test can make happen to a transaction. */
export function Actions({ details }: { details: TransactionDetails }) {
  const [open, setOpen] = useState<'complete' | 'revoke' | 'purge'>();
  const close = (): void => setOpen(undefined);
  const { id, state } = details;
  const isRevoked = details.refresh_token_state === 'revoked';
  return (
    <>
      {state === 'open' && (
        <button type="button" class="button-primary" onClick={() => setOpen('complete')}>
          Complete
        </button>
      )}
      <Button onClick={() => simulate(id, { action: 'expire_tokens' }, 'Its tokens have expired.')}>
        Expire tokens
      </Button>
      <Button
        onClick={() =>
          simulate(id, { action: 'rotate_refresh_token' }, 'Its refresh token was rotated.')
        }
      >
        Rotate refresh token
      </Button>
      <button
        type="button"
        class="button-danger"
        disabled={isRevoked}
        onClick={() => setOpen('revoke')}
      >
        {isRevoked ? 'Refresh token revoked' : 'Revoke refresh token'}
      </button>
      <button type="button" class="button-danger" onClick={() => setOpen('purge')}>
        Purge
      </button>
      {open === 'complete' && <CompleteDialog id={id} onClose={close} />}
      {open === 'revoke' && <RevokeDialog id={id} onClose={close} />}
      {open === 'purge' && <PurgeDialog id={id} onClose={close} />}
    </>
  );
}

function simulate(id: string, body: object, done: string): Promise<boolean> {
  const path = `transactions/${encodeURIComponent(id)}/simulate`;
  return run(() => call('POST', path, body), done);
}

/** Flags that the documentation of Berbix names; others can be typed. */
const FLAGS = [
  'id_expired',
  'id_under_18',
  'id_under_21',
  'id_photocopy_detected',
  'id_duplicate_possible',
  'id_blocked',
  'id_blocked_possible',
];

function CompleteDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const complete = async (values: FormData): Promise<void> => {
    const flags = String(values.get('flags'))
      .split(/[\s,]+/)
      .filter(Boolean);
    const fields = Object.fromEntries(
      ['given_name', 'family_name', 'date_of_birth', 'id_expiry_date'].flatMap((name) => {
        const value = String(values.get(name));
        return value === '' ? [] : [[name, value]];
      }),
    );
    const result = String(values.get('result'));
    const body = {
      action: 'complete',
      ...(result && { result }),
      ...(flags.length > 0 && { flags }),
      ...(Object.keys(fields).length > 0 && { fields }),
    };
    if (await simulate(id, body, 'The transaction is complete.')) onClose();
  };
  return (
    <Dialog title="Complete the transaction" onClose={onClose}>
      <Form submit="Complete" onSubmit={complete}>
        <Field label="Result">
          <select name="result">
            <option value="accept">Accept</option>
            <option value="reject">Reject</option>
            <option value="review">Review</option>
            <option value="">What the flags lead to</option>
          </select>
        </Field>
        <Field
          label="Flags"
          hint="Several with spaces between them; empty for those of the result."
        >
          <input name="flags" list="flags" autocomplete="off" spellcheck={false} />
        </Field>
        <datalist id="flags">
          {FLAGS.map((flag) => (
            <option key={flag} value={flag} />
          ))}
        </datalist>
        <details>
          <summary>The document</summary>
          <Field label="Given name">
            <input name="given_name" autocomplete="off" />
          </Field>
          <Field label="Family name">
            <input name="family_name" autocomplete="off" />
          </Field>
          <Field label="Date of birth">
            <input name="date_of_birth" type="date" />
          </Field>
          <Field label="Document expires on">
            <input name="id_expiry_date" type="date" />
          </Field>
        </details>
      </Form>
    </Dialog>
  );
}

function RevokeDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const revoke = async (): Promise<void> => {
    const body = { action: 'revoke_refresh_token' };
    if (await simulate(id, body, 'Its refresh token was revoked.')) onClose();
  };
  return (
    <Dialog title="Revoke the refresh token" onClose={onClose}>
      <p>
        From now on, every exchange is refused. The current access and client tokens work until they
        expire.
      </p>
      <Button kind="danger" onClick={revoke}>
        Revoke it
      </Button>
    </Dialog>
  );
}

function PurgeDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const purge = async (): Promise<void> => {
    if (await simulate(id, { action: 'purge' }, 'The transaction was purged.')) onClose();
  };
  return (
    <Dialog title="Purge the transaction" onClose={onClose}>
      <p>
        Everything about it is deleted, as after the days of retention. Requests with its tokens are
        answered with 410.
      </p>
      <Button kind="danger" onClick={purge}>
        Purge it
      </Button>
    </Dialog>
  );
}
