import { useEffect, useState } from 'preact/hooks';
import { call, type Fault } from '../api.js';
import { Button, run } from '../parts/controls.js';
import { Empty, Loading } from '../parts/text.js';
import { useNow } from '../parts/time.js';
import { useStore } from '../store.js';
import { describeFault, PRESETS } from './descriptions.js';
import { FaultForm } from './fault-form.js';

/** The pending faults, a form that adds one, and presets that add several. */
export function FaultsView() {
  const now = useNow();
  const faults = useFaults()?.filter(({ ends_at: end }) => !end || Date.parse(end) > now);
  const hasSeveral = faults !== undefined && faults.length > 1;
  return (
    <div class="columns">
      <section aria-labelledby="pending">
        <h3 id="pending">Pending</h3>
        {faults === undefined ? (
          <Loading />
        ) : faults.length === 0 ? (
          <Empty>No fault is pending: every request gets its real answer.</Empty>
        ) : (
          <ul class="plain">
            {faults.map((fault) => (
              <li key={fault.id} class="card">
                <p>{describeFault(fault)}</p>
                <Button
                  kind="quiet"
                  label={`Remove: ${describeFault(fault)}`}
                  onClick={() =>
                    run(() => call('DELETE', `faults/${encodeURIComponent(fault.id)}`))
                  }
                >
                  Remove
                </Button>
              </li>
            ))}
          </ul>
        )}
        {hasSeveral && <p class="note">The first one that fits a request applies to it.</p>}
        {hasSeveral && (
          <Button onClick={() => run(() => call('DELETE', 'faults'), 'No fault is pending.')}>
            Remove all
          </Button>
        )}
        <h3>Presets</h3>
        <ul class="plain">
          {PRESETS.map(({ title, text, faults: added }) => (
            <li key={title} class="card">
              <p>
                <strong>{title}</strong>
                <br />
                {text}
              </p>
              <Button
                label={`Start: ${title}`}
                onClick={() => run(() => addAll(added), `${title}: started.`)}
              >
                Start
              </Button>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="add">
        <h3 id="add">Add a fault</h3>
        <FaultForm />
      </section>
    </div>
  );
}

async function addAll(faults: readonly object[]): Promise<void> {
  for (const fault of faults) await call('POST', 'faults', fault);
}

/** The pending faults, once they are loaded; again after each change, since requests use them up. */
function useFaults(): readonly Fault[] | undefined {
  const [faults, setFaults] = useState<readonly Fault[]>();
  const changes = useStore((state) => state.faultChanges);
  useEffect(() => {
    let isCurrent = true;
    call<{ faults: Fault[] }>('GET', 'faults').then(
      (answer) => isCurrent && setFaults(answer.faults),
      // The connection is shown elsewhere; the next change loads them.
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [changes]);
  return faults;
}
