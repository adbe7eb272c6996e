import {
  call,
  type DeliverySummary,
  type RefusedError,
  type RequestSummary,
  type Transaction,
} from './api.js';
import { currentState, MAX_SHOWN, notify, update, withItem } from './store.js';

interface Snapshot {
  now: string;
  /** The same until the sandbox is started again. */
  run: string;
  /** How many are pending. */
  faults: number;
  /** Whether the events that follow are all since the last one that arrived. */
  resumed: boolean;
}

const STARTED_AGAIN =
  'The sandbox was started again. What it keeps from run to run is in the directory of --data.';

let lastRun: string | undefined;

type TransactionEvent = { change: string } & Transaction;

/** What to do with each kind of event. Others are from a newer sandbox, and ignored. */
const HANDLERS: Readonly<Record<string, (data: never) => void>> = {
  snapshot({ now, run, faults, resumed }: Snapshot) {
    setClock(now);
    update(() => ({ connection: 'open', pendingFaults: faults }));
    if (lastRun !== undefined && run !== lastRun) notify(STARTED_AGAIN);
    lastRun = run;
    if (resumed) return;
    reloadDetails();
    void loadLists();
  },
  transaction({ change, ...transaction }: TransactionEvent) {
    markChanged(transaction.id);
    update(({ transactions, filter }) => ({
      transactions:
        change === 'deleted' || !matches(transaction, filter)
          ? transactions?.filter(({ id }) => id !== transaction.id)
          : transactions &&
            newestFirst(withItem(transactions, transaction, Infinity)).slice(0, filter.limit),
    }));
  },
  exchange: (exchange: { transaction_id: string }) => markChanged(exchange.transaction_id),
  request(request: RequestSummary) {
    update(({ requests }) => ({ requests: requests && withItem(requests, request) }));
  },
  delivery(delivery: DeliverySummary) {
    update(({ deliveries }) => ({ deliveries: deliveries && withItem(deliveries, delivery) }));
  },
  faults({ pending }: { pending: number }) {
    update(({ faultChanges }) => ({ faultChanges: faultChanges + 1, pendingFaults: pending }));
  },
  clock({ now }: { now: string }) {
    setClock(now);
    reloadDetails();
    void attempt(loadTransactions);
  },
  state() {
    reloadDetails();
    void loadLists();
  },
};

/**
 * Follows the sandbox and its clock, while the page can be seen. The browser connects again by itself,
 * and says where the events broke off.
 */
export function follow(): void {
  let close: (() => void) | undefined;
  /** Browsers allow six connections to a server: hidden pages with one each would block all others. */
  const connectWhileVisible = (): void => {
    close?.();
    close = document.visibilityState === 'visible' ? connect() : undefined;
  };
  document.addEventListener('visibilitychange', connectWhileVisible);
  connectWhileVisible();
  setInterval(() => update(({ clockOffset }) => ({ now: Date.now() + clockOffset })), 1_000);
}

/** @returns a function that ends the connection */
function connect(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let events: EventSource;
  function open(): void {
    events = new EventSource('sandbox/events');
    for (const [kind, handle] of Object.entries(HANDLERS)) {
      events.addEventListener(kind, ({ data }: MessageEvent<string>) =>
        afterLoads(kind, () => handle(JSON.parse(data) as never)),
      );
    }
    events.addEventListener('error', () => {
      update(() => ({ connection: 'lost' }));
      // After an answer other than a stream, such as that of a proxy, browsers give up.
      if (events.readyState === EventSource.CLOSED) timer = setTimeout(open, RECONNECT_MS);
    });
  }
  open();
  return () => {
    clearTimeout(timer);
    events.close();
  };
}

const RECONNECT_MS = 2_000;

/** How many lists are on their way. */
let loading = 0;
/** Events that arrive meanwhile: what a list says of them may be older. */
const held: (() => void)[] = [];

function afterLoads(kind: string, handle: () => void): void {
  if (loading === 0 || kind === 'snapshot' || kind === 'state') handle();
  else held.push(handle);
}

async function load<Answer>(path: string): Promise<Answer> {
  loading += 1;
  try {
    return await call<Answer>('GET', path);
  } finally {
    // After those who wait for the answer have put it into its place.
    setTimeout(() => {
      loading -= 1;
      if (loading === 0) for (const handle of held.splice(0)) handle();
    });
  }
}

/** Only the latest answer counts. */
let [listsAsked, transactionsAsked] = [0, 0];

/** Loads the transactions that the filter selects. */
export async function loadTransactions(): Promise<void> {
  const { customer, state, limit } = currentState().filter;
  const query = new URLSearchParams({ limit: String(limit) });
  if (customer) query.set('customer', customer);
  if (state) query.set('state', state);
  const turn = ++transactionsAsked;
  const { transactions } = await load<{ transactions: Transaction[] }>(`transactions?${query}`);
  if (turn === transactionsAsked) update(() => ({ transactions }));
}

/** Loads everything that the lists show, after a start and wherever events were missed. */
export async function loadLists(): Promise<void> {
  const turn = ++listsAsked;
  await attempt(async () => {
    const [{ requests }, { deliveries }] = await Promise.all([
      load<{ requests: RequestSummary[] }>('requests?summary=1'),
      load<{ deliveries: DeliverySummary[] }>('webhooks/deliveries'),
      loadTransactions(),
    ]);
    if (turn !== listsAsked) return;
    update(({ faultChanges }) => ({
      requests: requests.toReversed().slice(0, MAX_SHOWN),
      deliveries: deliveries.toReversed().slice(0, MAX_SHOWN),
      faultChanges: faultChanges + 1,
    }));
  });
}

/** Without a connection, the header says so; any other failure is told. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if ((error as RefusedError).status !== 0) notify((error as Error).message, true);
  }
}

function markChanged(transactionId: string): void {
  update(({ changedTransactions }) => ({
    changedTransactions: [{ transactionId }, ...changedTransactions].slice(0, MAX_SHOWN),
  }));
}

/** Details that are open load again. */
function reloadDetails(): void {
  update(({ reloads }) => ({ reloads: reloads + 1 }));
}

/** As the sandbox lists them, so that a change of an old one does not move it up. */
function newestFirst(transactions: readonly Transaction[]): readonly Transaction[] {
  return transactions.toSorted(
    (one, other) => Date.parse(other.created_at) - Date.parse(one.created_at),
  );
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
