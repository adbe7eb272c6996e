import { useEffect } from 'preact/hooks';
import type { Transaction } from '../api.js';
import { loadTransactions } from '../live.js';
import { Button, CopyButton, Field, run } from '../parts/controls.js';
import { StateBadge } from '../parts/badges.js';
import { Empty, Loading, Uid } from '../parts/text.js';
import { Ago } from '../parts/time.js';
import { hrefOf } from '../router.js';
import { update, useStore } from '../store.js';
import { TransactionView } from './transaction.js';

/** A pause in typing, before the list is loaded. */
const TYPING_MS = 250;
const PAGE = 100;
const MAX_LISTED = 1_000;

/** The transactions, and one of them beside the list. */
export function TransactionsView({ id }: { id: string | undefined }) {
  return (
    <div class={id === undefined ? 'split' : 'split split-open'}>
      <section aria-label="All transactions">
        <Filter />
        <TransactionList selected={id} />
      </section>
      {id !== undefined && <TransactionView key={id} id={id} />}
    </div>
  );
}

function Filter() {
  const filter = useStore((state) => state.filter);
  const first = useStore(({ connection }) => connection === 'connecting');
  useEffect(() => {
    if (first) return;
    const timer = setTimeout(() => void run(loadTransactions), TYPING_MS);
    return () => clearTimeout(timer);
  }, [filter]);
  const change = (part: Partial<typeof filter>): void => {
    // That of the store: the page may not have been drawn since the last change.
    update((state) => ({ filter: { ...state.filter, ...part } }));
  };
  return (
    <div class="toolbar">
      <Field label="Customer uid">
        <input
          type="search"
          name="customer"
          placeholder="The whole uid"
          value={filter.customer}
          onInput={({ currentTarget }) => change({ customer: currentTarget.value })}
        />
      </Field>
      <Field label="State">
        <select
          name="state"
          value={filter.state}
          onChange={({ currentTarget }) => change({ state: currentTarget.value })}
        >
          <option value="">Any</option>
          <option value="open">Open</option>
          <option value="completed">Completed</option>
        </select>
      </Field>
    </div>
  );
}

function TransactionList({ selected }: { selected: string | undefined }) {
  const transactions = useStore((state) => state.transactions);
  const filter = useStore((state) => state.filter);
  if (transactions === undefined) return <Loading />;
  if (transactions.length === 0) {
    const filtered = filter.customer !== '' || filter.state !== '';
    return (
      <>
        <Empty>
          {filtered
            ? 'No transaction has this customer uid and state.'
            : 'There is no transaction yet. Create one above, or from your backend.'}
        </Empty>
        {!filtered && <Connect />}
      </>
    );
  }
  const isFull = transactions.length >= filter.limit;
  return (
    <>
      <table class="list">
        <caption class="hidden">Transactions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Customer</th>
            <th scope="col">State</th>
            <th scope="col">Created</th>
          </tr>
        </thead>
        <tbody>
          {transactions.map((transaction) => (
            <Row
              key={transaction.id}
              transaction={transaction}
              isSelected={transaction.id === selected}
            />
          ))}
        </tbody>
      </table>
      {isFull && filter.limit >= MAX_LISTED && (
        <p class="note">
          Only the last {MAX_LISTED} are here. Filter by customer or state to find an older one.
        </p>
      )}
      {isFull && filter.limit < MAX_LISTED && (
        <Button
          onClick={() =>
            update(() => ({
              filter: { ...filter, limit: Math.min(filter.limit + PAGE, MAX_LISTED) },
            }))
          }
        >
          Show more
        </Button>
      )}
    </>
  );
}

/** How a backend finds the sandbox; its secrets are for the person who started it. */
function Connect() {
  const line = `BERBIX_API_HOST=${new URL('.', location.href).href.replace(/\/$/, '')}`;
  return (
    <div class="card">
      <h3>Connect your backend</h3>
      <pre tabIndex={0}>{line}</pre>
      <p>
        <CopyButton label="Copy the line for .env" text={line} /> The API secret and the template
        keys are in the lines that the sandbox printed when it started.
      </p>
    </div>
  );
}

function Row({ transaction, isSelected }: { transaction: Transaction; isSelected: boolean }) {
  const { id, customer_uid: customerUid, created_at: createdAt } = transaction;
  return (
    <tr>
      <td>
        <a href={hrefOf('transactions', id)} aria-current={isSelected ? 'true' : undefined}>
          <Uid text={customerUid} />
        </a>
      </td>
      <td>
        <StateBadge {...transaction} />
      </td>
      <td>
        <Ago time={createdAt} />
      </td>
    </tr>
  );
}
