import { useState } from 'preact/hooks';
import { call, type Delivery } from '../api.js';
import { useAnswer } from '../parts/use-answer.js';
import { Button, run } from '../parts/controls.js';
import { Badge, DeliveryBadge, isAttack } from '../parts/badges.js';
import { Body, Facts, Panel } from '../parts/panel.js';
import { Moment } from '../parts/time.js';
import { hrefOf } from '../router.js';
import { useStore } from '../store.js';

/** Ways to send a webhook again; all but the first are attacks, or bad days. */
const RESENDS: readonly (readonly [label: string, fault: string | undefined, title: string])[] = [
  ['Send again', undefined, 'Signed anew'],
  ['Late', 'late', 'Signed a day ago: an application must refuse it'],
  ['Forged', 'forged', 'Signed with another secret: an application must refuse it'],
  ['Unsigned', 'unsigned', 'Without a signature: an application must refuse it'],
  ['With the old secret', 'old_secret', 'Accepted only while an application changes its secret'],
  ['Twice', 'duplicate', 'An application must handle it once'],
];

/** One webhook: what was sent, how its signature is checked, and how it was answered. */
export function DeliveryView({ id }: { id: string }) {
  const [secrets, setSecrets] = useState(false);
  const summary = useStore(({ deliveries }) => deliveries?.find((known) => known.id === id));
  const path = `webhooks/deliveries/${encodeURIComponent(id)}${secrets ? '?secrets=1' : ''}`;
  const { content: delivery, gone } = useAnswer<Delivery>(path, summary);
  return (
    <Panel label="Webhook" list="webhooks" problem={gone}>
      {delivery && (
        <>
          <h3>
            {delivery.kind} {delivery.fault && <Badge text={delivery.fault} tone="plain" />}{' '}
            <DeliveryBadge delivery={delivery} />
          </h3>
          <p>
            To <code class="long">{delivery.url}</code>, {attemptsOf(delivery.attempts)}
            {delivery.sent_at && (
              <>
                , first at <Moment time={delivery.sent_at} />
              </>
            )}
            .
          </p>
          <Advice delivery={delivery} />
          <div class="actions">
            {RESENDS.map(([label, fault, title]) => (
              <Button key={label} title={title} onClick={() => resend(id, fault)}>
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
          <Facts facts={delivery.headers} />
          <h4>Body</h4>
          <Body text={delivery.body} />
        </>
      )}
    </Panel>
  );
}

function attemptsOf(count: number): string {
  if (count === 0) return 'not attempted yet';
  return count === 1 ? 'one attempt' : `${count} attempts`;
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

const NO_ANSWER = 'The application did not answer in time.';

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this address. Is the application running, and on this port?',
  ENOTFOUND: 'The name in the address is not known to this machine.',
  TimeoutError: NO_ANSWER,
  UND_ERR_CONNECT_TIMEOUT: NO_ANSWER,
};

function Advice({ delivery }: { delivery: Delivery }) {
  const { delivered, status, problem, fault } = delivery;
  if (isAttack(delivery)) {
    if (delivered) return <p class="alarm">{ACCEPTED[fault ?? '']}</p>;
    if (status !== null && status < 500) return null;
  }
  if (delivered) return null;
  if (status !== null && status >= 500) {
    return <p class="warning">The application failed. Its log says why.</p>;
  }
  const text = status === null ? problem && PROBLEMS[problem] : ADVICE[status];
  return text ? <p class="warning">{text}</p> : null;
}

/** What it means that an attack was accepted. */
const ACCEPTED: Readonly<Record<string, string>> = {
  late: 'The application accepted a webhook that was signed a day ago. Anybody who has recorded one can send it again: compare its time with the clock.',
  forged:
    'The application accepted a webhook that was signed with another secret. Anybody can send it one: check the signature.',
  unsigned:
    'The application accepted a webhook without a signature. Anybody can send it one: check the signature.',
};

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
        Join the time, the secret of this webhook and the raw body, to its last line break, with
        commas:
        <pre tabIndex={0}>{signature.signed_text.replace(/\n$/, '⏎')}</pre>
      </li>
      <li>
        Sign that with {signature.algorithm}, with the same secret as the key:
        <pre tabIndex={0}>{signature.expected}</pre>
      </li>
      <li>
        Compare it with the signature of the header, in constant time
        {signature.header.endsWith(signature.expected) ? '. They are equal.' : ': they differ.'}
      </li>
    </ol>
  );
}
