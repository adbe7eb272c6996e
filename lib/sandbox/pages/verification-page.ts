import { ACTIONS, WEBHOOK_KINDS } from '../../wire/index.js';
import type { Fields } from '../transactions/sample-fields.js';
import type { Announcement } from '../transactions/transaction-results.js';
import type { Transaction } from '../transactions/transaction.js';
import type { WebhookDelivery } from '../webhooks/delivery-log.js';
import { MAX_ATTEMPTS } from '../webhooks/webhook-sender.js';
import { html, type Html } from './page.js';
import { documentInputs, flagInputs } from './result-form.js';

const LABELS: Record<(typeof ACTIONS)[number], string> = {
  accept: 'Accept',
  reject: 'Reject',
  review: 'Review',
};

/** What the form of a verification shows. */
export interface VerificationForm {
  transaction: Transaction;
  templateKey: string;
  /** The fields of the customer's document. */
  sample: Fields;
  /** What the user can do besides. */
  buttons: Html | readonly Html[];
}

/** The steps of a verification, then its result: one form, so that one click completes it. */
export function verificationForm(form: VerificationForm): Html {
  const { sample, buttons } = form;
  const results = ACTIONS.map((action) => resultButton(action, LABELS[action]));
  return html`<p class="muted">
      This is a sandbox: it checks no documents and no faces. You choose what the verification
      finds.
    </p>
    ${facts(form)}
    <form method="post">
      <ol class="steps">
        <li>
          <h2>Document</h2>
          ${documentPicture(sample)}
          <p class="muted">The sample document, before your changes.</p>
          <details>
            <summary>Change the document</summary>
            ${documentInputs(sample)}
          </details>
        </li>
        <li>
          <h2>Selfie</h2>
          ${SELFIE_PICTURE}
          <p class="muted">The face is the one on the document, unless a flag says otherwise.</p>
        </li>
        <li class="whole">
          <h2>Checks</h2>
          <details>
            <summary>Raise flags</summary>
            ${flagInputs()}
            <div class="row">${resultButton('flags', 'Let the flags decide')}</div>
          </details>
        </li>
      </ol>
      <fieldset class="buttons">
        <legend>Choose the result</legend>
        <div class="row">${results} ${buttons}</div>
      </fieldset>
    </form>`;
}

function resultButton(value: string, label: string): Html {
  const style = value === 'accept' ? 'primary' : '';
  return html`<button name="choice" value="${value}" class="${style}">${label}</button>`;
}

function facts({ transaction, templateKey }: VerificationForm): Html {
  const { id, mode, customerUid } = transaction;
  return html`<dl class="facts">
    <dt>Customer</dt>
    <dd><bdi>${customerUid}</bdi></dd>
    <dt>Template</dt>
    <dd><code>${templateKey}</code></dd>
    <dt>Transaction</dt>
    <dd>${id}, ${mode} mode</dd>
  </dl>`;
}

/** The sample document. */
function documentPicture(sample: Fields): Html {
  const { given_name: given = '', family_name: family = '', date_of_birth: birth = '' } = sample;
  const expiry = sample.id_expiry_date ?? '';
  return html`<svg
    class="picture"
    viewBox="0 0 272 168"
    role="img"
    aria-label="The sample document"
  >
    <rect class="paper" x="1" y="1" width="270" height="166" rx="14" />
    <rect class="ink" x="18" y="18" width="120" height="10" rx="5" />
    <rect class="person" x="18" y="44" width="76" height="96" rx="8" />
    <circle class="person" cx="56" cy="80" r="16" />
    <path class="person" d="M28 139c0-18 12-30 28-30s28 12 28 30" />
    <g fill="currentColor" font-size="14">
      <text x="110" y="60" font-weight="600">${family}, ${given}</text>
      <text x="110" y="90">${birth}</text>
      <text x="110" y="120">Expires ${expiry}</text>
    </g>
    <rect class="ink" x="110" y="134" width="140" height="6" rx="3" />
  </svg>`;
}

const SELFIE_PICTURE = html`<svg class="picture" viewBox="0 0 272 168" aria-hidden="true">
  <circle class="paper" cx="136" cy="84" r="74" />
  <circle class="ring" cx="136" cy="84" r="80" stroke-width="4" stroke-dasharray="110 16" />
  <circle class="person" cx="136" cy="70" r="24" />
  <path class="person" d="M92 136c0-26 19-42 44-42s44 16 44 42" />
</svg>`;

const ACTION_STYLES: Readonly<Record<string, string>> = { accept: 'good', reject: 'bad' };

/** What was decided, and what happened to its webhooks so far. */
export function resultSummary({ transaction, deliveries }: Announcement): Html {
  const { action, flags } = transaction.state;
  const webhooks = WEBHOOK_KINDS.map(
    (kind) =>
      html`<dt>Webhook <code>${kind}</code></dt>
        <dd>${outcomeOf(deliveries.find((delivery) => delivery.kind === kind))}</dd>`,
  );
  return html`<dl>
    <dt>Result</dt>
    <dd><span class="badge ${ACTION_STYLES[action] ?? 'warning'}">${action}</span></dd>
    <dt>Flags</dt>
    <dd>${flags.length === 0 ? 'none' : html`<code>${flags.join(', ')}</code>`}</dd>
    ${webhooks}
  </dl>`;
}

function outcomeOf(delivery: WebhookDelivery | undefined): string {
  if (delivery === undefined) return 'not sent: it has no URL';
  const { status, problem, delivered, attempts } = delivery;
  // An attempt that has just begun, be it the first one or another.
  if (status === undefined && problem === undefined) return 'sent, no answer yet';
  const outcome = status === undefined ? `failed with ${problem}` : `answered with ${status}`;
  if (delivered) return outcome;
  return attempts < MAX_ATTEMPTS ? `${outcome}, will be sent again` : `${outcome}, given up`;
}
