import {
  call,
  type DeliverySummary,
  type RecordedRequest,
  type RequestSummary,
  type Transaction,
} from './api.js';
import { currentState, MAX_SHOWN, update, withItem } from './store.js';

interface Snapshot {
  now: string;
  /** Whether the events that follow are all since the last one that arrived. */
  resumed: boolean;
}

type TransactionEvent = { change: string } & Transaction;

/** What to do with each kind of event. Others are from a newer sandbox, and ignored. */
const HANDLERS: Readonly<Record<string, (data: never) => void>> = {
  snapshot({ now, resumed }: Snapshot) {
    setClock(now);
    update(() => ({ connection: 'open' }));
    if (!resumed) void loadLists();
  },
  transaction({ change, ...transaction }: TransactionEvent) {
    touch(transaction.id);
    update(({ transactions, filter }) => ({
      transactions:
        change === 'deleted' || !matches(transaction, filter)
          ? transactions.filter(({ id }) => id !== transaction.id)
          : withItem(transactions, transaction, filter.limit),
    }));
  },
  exchange: (exchange: { transaction_id: string }) => touch(exchange.transaction_id),
  request(request: RequestSummary) {
    update(({ requests }) => ({ requests: withItem(requests, request) }));
  },
  delivery(delivery: DeliverySummary) {
    update(({ deliveries }) => ({ deliveries: withItem(deliveries, delivery) }));
  },
  faults: () => update(({ faultChanges }) => ({ faultChanges: faultChanges + 1 })),
  clock: ({ now }: { now: string }) => setClock(now),
  state: () => void loadLists(),
};

/** Follows the sandbox and its clock. The browser connects again by itself, and says where the events broke off. */
export function follow(): void {
  connect();
  setInterval(() => update(({ clockOffset }) => ({ now: Date.now() + clockOffset })), 1_000);
}

function connect(): void {
  const events = new EventSource('sandbox/events');
  for (const [kind, handle] of Object.entries(HANDLERS)) {
    events.addEventListener(kind, ({ data }: MessageEvent<string>) =>
      handle(JSON.parse(data) as never),
    );
  }
  events.addEventListener('error', () => {
    update(() => ({ connection: 'lost' }));
    // After an answer other than a stream, such as that of a proxy, browsers give up.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  });
}

const RECONNECT_MS = 2_000;

/** Loads the transactions that the filter selects. */
export async function loadTransactions(): Promise<void> {
  const { customer, state, limit } = currentState().filter;
  const query = new URLSearchParams({ limit: String(limit) });
  if (customer) query.set('customer', customer);
  if (state) query.set('state', state);
  const { transactions } = await call<{ transactions: Transaction[] }>(
    'GET',
    `transactions?${query}`,
  );
  update(() => ({ transactions }));
}

/** Loads everything that the lists show, after a start and wherever events were missed. */
export async function loadLists(): Promise<void> {
  try {
    const [{ requests }, { deliveries }] = await Promise.all([
      call<{ requests: RecordedRequest[] }>('GET', 'requests'),
      call<{ deliveries: DeliverySummary[] }>('GET', 'webhooks/deliveries'),
      loadTransactions(),
    ]);
    update(({ faultChanges }) => ({
      requests: requests.toReversed().slice(0, MAX_SHOWN).map(summaryOf),
      deliveries: deliveries.toReversed().slice(0, MAX_SHOWN),
      faultChanges: faultChanges + 1,
    }));
  } catch (error) {
    update(() => ({ notice: { text: (error as Error).message, failed: true } }));
  }
}

/** Headers and bodies may be large: they are loaded for the request that is open. */
function summaryOf(request: RecordedRequest): RequestSummary {
  const { headers: _headers, body: _body, url: _url, ...summary } = request;
  return summary;
}

function touch(transactionId: string): void {
  update(({ touched }) => ({ touched: [{ transactionId }, ...touched].slice(0, MAX_SHOWN) }));
}

function setClock(now: string): void {
  const time = Date.parse(now);
  update(() => ({ clockOffset: time - Date.now(), now: time }));
}

function matches(
  transaction: Transaction,
  { customer, state }: { customer: string; state: string },
): boolean {
  return (
    (customer === '' || transaction.customer_uid === customer) &&
    (state === '' || transaction.state === state)
  );
}
