import { useState } from 'preact/hooks';
import { call, type Delivery } from '../api.js';
import { useAnswer } from '../parts/answer.js';
import { Button, run } from '../parts/controls.js';
import { DeliveryBadge } from '../parts/badges.js';
import { hrefOf } from '../router.js';
import { useStore } from '../store.js';

/** Ways to send a webhook again; all but the first are attacks, or bad days. */
const RESENDS: readonly (readonly [label: string, fault: string | undefined])[] = [
  ['Send again', undefined],
  ['Late', 'late'],
  ['Forged', 'forged'],
  ['Unsigned', 'unsigned'],
  ['With the old secret', 'old_secret'],
  ['Twice', 'duplicate'],
];

/** One webhook: what was sent, how its signature is checked, and how it was answered. */
export function DeliveryView({ id }: { id: string }) {
  const [secrets, setSecrets] = useState(false);
  const summary = useStore(({ deliveries }) => deliveries.find((known) => known.id === id));
  const path = `webhooks/deliveries/${encodeURIComponent(id)}${secrets ? '?secrets=1' : ''}`;
  const { content: delivery, gone } = useAnswer<Delivery>(path, summary);
  return (
    <section class="panel" aria-label="Webhook">
      <p class="panel-close">
        <a href={hrefOf('webhooks')}>Close</a>
      </p>
      {gone && <p role="alert">{gone}</p>}
      {delivery && (
        <>
          <h3>
            {delivery.kind} <DeliveryBadge delivery={delivery} />
          </h3>
          <p>
            To <code class="long">{delivery.url}</code>, {triesOf(delivery.tries)}.
          </p>
          <Advice delivery={delivery} />
          <div class="actions">
            {RESENDS.map(([label, fault]) => (
              <Button key={label} onClick={() => resend(id, fault)}>
                {label}
              </Button>
            ))}
          </div>
          <h4>Signature</h4>
          <label class="check">
            <input
              type="checkbox"
              name="secrets"
              checked={secrets}
              onChange={({ currentTarget }) => setSecrets(currentTarget.checked)}
            />
            Show secrets
          </label>
          <Check delivery={delivery} />
          <h4>Headers</h4>
          <dl class="facts mono">
            {Object.entries(delivery.headers).map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </>
            ))}
          </dl>
          <h4>Body</h4>
          <pre tabIndex={0}>{delivery.body}</pre>
        </>
      )}
    </section>
  );
}

function triesOf(count: number): string {
  if (count === 0) return 'not tried yet';
  return count === 1 ? 'one try' : `${count} tries`;
}

async function resend(id: string, fault: string | undefined): Promise<void> {
  await run(async () => {
    const path = `webhooks/deliveries/${encodeURIComponent(id)}/resend`;
    const { id: sent } = await call<Delivery>('POST', path, fault === undefined ? {} : { fault });
    location.hash = hrefOf('webhooks', sent);
  });
}

/** What an answer usually means. */
const ADVICE: Readonly<Record<number, string>> = {
  400: 'The application could not read the webhook. Does it see the raw body, as rawBody: true gives it?',
  401: 'The application did not accept the signature. Does it have the webhook secret that the sandbox printed at its start?',
  403: 'The application did not accept the signature. Does it have the webhook secret that the sandbox printed at its start?',
  404: 'The application has no route at this address. Check the path, and a global prefix.',
  405: 'The application does not accept POST at this address.',
  413: 'The application has a limit for bodies that is too small.',
};

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this address. Is the application running, and on this port?',
  ENOTFOUND: 'The name in the address is not known to this machine.',
  ETIMEDOUT: 'The application did not answer in time.',
};

function Advice({ delivery: { delivered, status, problem } }: { delivery: Delivery }) {
  if (delivered) return null;
  const text = status === null ? problem && PROBLEMS[problem] : ADVICE[status];
  return text ? <p class="warning">{text}</p> : null;
}

/** Each step of the check, with the values of this webhook. */
function Check({ delivery: { signature } }: { delivery: Delivery }) {
  if (!signature) return <p>This webhook has no signature.</p>;
  return (
    <ol class="steps">
      <li>
        Split the header <code class="long">{signature.header}</code> at its commas: a version, a
        time in seconds, and a signature.
      </li>
      <li>
        Refuse it if the time, <code>{signature.timestamp}</code>, is more than five minutes away
        from your clock.
      </li>
      <li>
        Join the time, the secret of this webhook and the raw body with commas:
        <pre tabIndex={0}>{signature.signed_text}</pre>
      </li>
      <li>
        Sign that with {signature.algorithm}, with the same secret as the key:
        <pre tabIndex={0}>{signature.expected}</pre>
      </li>
      <li>Compare it with the signature of the header, in constant time.</li>
    </ol>
  );
}
