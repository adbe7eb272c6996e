import { useState } from 'preact/hooks';
import { call } from './api.js';
import { Button, Dialog, Field, Form, run } from './parts/controls.js';
import { formatTime, useNow } from './parts/time.js';

const STEPS: readonly (readonly [label: string, ms: number])[] = [
  ['1 minute', 60_000],
  ['15 minutes', 15 * 60_000],
  ['1 hour', 3_600_000],
  ['1 day', 24 * 3_600_000],
  ['30 days', 30 * 24 * 3_600_000],
];

/** The clock of the sandbox, and everything that it keeps. */
export function ClockView() {
  return (
    <div class="columns">
      <ClockCard />
      <StateCard />
    </div>
  );
}

function ClockCard() {
  const now = useNow();
  return (
    <section class="card" aria-labelledby="clock">
      <h3 id="clock">Clock</h3>
      <p class="big">{formatTime(now)}</p>
      <p>Tokens expire, webhooks are signed and transactions are purged by this clock.</p>
      <div class="actions" role="group" aria-label="Move the clock ahead">
        {STEPS.map(([label, ms]) => (
          <Button
            key={label}
            label={`${label} ahead`}
            onClick={() => run(() => call('POST', 'clock', { advance_ms: ms }))}
          >
            +{label}
          </Button>
        ))}
      </div>
      <Form submit="Set" onSubmit={setClock}>
        <Field label="Date and time">
          <input name="now" type="datetime-local" step={1} required />
        </Field>
      </Form>
      <Button
        onClick={() =>
          run(
            () => call('POST', 'clock', { now: new Date().toISOString() }),
            'The clock shows the real time.',
          )
        }
      >
        Back to the real time
      </Button>
    </section>
  );
}

function StateCard() {
  const [resetting, setResetting] = useState(false);
  const [chosen, setChosen] = useState<File>();
  const restore = (): Promise<boolean> =>
    run(async () => {
      if (chosen) await call('PUT', 'state', await textOf(chosen));
    }, 'The state was imported.');
  return (
    <section class="card" aria-labelledby="state">
      <h3 id="state">State</h3>
      <p>
        A file with all transactions, the clock and the signing key, so that their tokens work after
        an import. Treat it as a secret.
      </p>
      <div class="actions">
        <a class="button" href="sandbox/state?secrets=1" download="berbix-sandbox.json">
          Export
        </a>
        <button type="button" class="button-danger" onClick={() => setResetting(true)}>
          Reset
        </button>
      </div>
      <Field label="File to import">
        <input
          type="file"
          name="state"
          accept="application/json"
          onChange={({ currentTarget }) => setChosen(currentTarget.files?.[0])}
        />
      </Field>
      <Button disabled={chosen === undefined} onClick={restore}>
        Import
      </Button>
      {resetting && <ResetDialog onClose={() => setResetting(false)} />}
    </section>
  );
}

function ResetDialog({ onClose }: { onClose: () => void }) {
  const reset = async (): Promise<void> => {
    if (await run(() => call('DELETE', 'state'), 'The sandbox was reset.')) onClose();
  };
  return (
    <Dialog title="Reset the sandbox" onClose={onClose}>
      <p>
        All transactions, requests, webhooks and faults are deleted, and the clock shows the real
        time.
      </p>
      <Button kind="danger" onClick={reset}>
        Reset it
      </Button>
    </Dialog>
  );
}

/** The time is one of the browser's time zone. */
function setClock(values: FormData): Promise<boolean> {
  const now = new Date(String(values.get('now'))).toISOString();
  return run(() => call('POST', 'clock', { now }), 'The clock is set.');
}

/** Browsers do not read a file that has changed since it was chosen. */
async function textOf(file: File): Promise<string> {
  try {
    return await file.text();
  } catch {
    throw new Error(`${file.name} has changed, or is gone. Choose it again.`);
  }
}
