import { call, type TransactionDetails } from '../api.js';
import { useAnswer } from '../parts/use-answer.js';
import { StateBadge } from '../parts/badges.js';
import { CopyButton, run } from '../parts/controls.js';
import { Facts, Panel } from '../parts/panel.js';
import { Secret } from '../parts/text.js';
import { Ago } from '../parts/time.js';
import { useStore } from '../store.js';
import { Actions } from './actions.js';
import { RefreshTokens } from './refresh-tokens.js';
import { Lifetimes } from './lifetimes.js';

/** One transaction: what it is, what can be done with it, and what became of its tokens. */
export function TransactionView({ id }: { id: string }) {
  const touch = useStore(({ changedTransactions }) =>
    changedTransactions.find(({ transactionId }) => transactionId === id),
  );
  const path = `transactions/${encodeURIComponent(id)}`;
  const { content: details, gone } = useAnswer<TransactionDetails>(path, touch);
  return (
    <Panel label="Transaction" list="transactions" problem={gone}>
      {details && (
        <>
          <h3>
            <bdi>{details.customer_uid}</bdi> <StateBadge {...details} />
          </h3>
          <div class="actions">
            <Actions details={details} />
            {details.page_path !== null && <PageButton id={id} />}
          </div>
          <h4>Access and client tokens</h4>
          <Lifetimes details={details} />
          <h4>Refresh tokens</h4>
          <RefreshTokens details={details} />
          <h4>Details</h4>
          <TransactionFacts details={details} touch={touch} />
        </>
      )}
    </Panel>
  );
}

function TransactionFacts({ details, touch }: { details: TransactionDetails; touch: unknown }) {
  const { id, flags, fields } = details;
  return (
    <dl class="facts">
      <dt>Transaction</dt>
      <dd>
        <code>{id}</code> <CopyButton label="Copy the id of the transaction" text={id} />, in{' '}
        {details.mode} mode
      </dd>
      <dt>Template</dt>
      <dd>
        <code>{details.template_key}</code>
      </dd>
      <dt>Created</dt>
      <dd>
        <Ago time={details.created_at} />
      </dd>
      {details.completed_at && (
        <>
          <dt>Completed</dt>
          <dd>
            <Ago time={details.completed_at} />
          </dd>
        </>
      )}
      {flags && flags.length > 0 && (
        <>
          <dt>Flags</dt>
          <dd>{flags.join(', ')}</dd>
        </>
      )}
      <dt>Refresh token</dt>
      <dd>
        <Secret
          label="the refresh token"
          of={touch}
          reveal={async () => (await revealed(id)).refresh_token}
        />
      </dd>
      {fields && (
        <>
          <dt>Fields</dt>
          <dd>
            <details>
              <summary>{Object.keys(fields).length} fields</summary>
              <Facts facts={fields} />
            </details>
          </dd>
        </>
      )}
    </dl>
  );
}

/** Opens the page of the verification. */
function PageButton({ id }: { id: string }) {
  return (
    <button type="button" onClick={() => void openPage(async () => (await revealed(id)).page_path)}>
      Open as the customer
    </button>
  );
}

/** Opens the page before its address is known, so that the browser takes it for the user's own wish. */
async function openPage(address: () => Promise<string | null>): Promise<void> {
  const page = open('', '_blank');
  // It may lead to the application under test, which must not reach the console.
  if (page) page.opener = null;
  const isOpen = await run(async () => {
    const path = await address();
    if (path === null) throw new Error('The transaction has no page any more.');
    page?.location.replace(`.${path}`);
  });
  if (!isOpen) page?.close();
}

function revealed(id: string): Promise<TransactionDetails> {
  return call('GET', `transactions/${encodeURIComponent(id)}?secrets=1`);
}
