import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ClockView } from './clock.js';
import { FaultsView } from './faults/faults.js';
import { follow } from './live.js';
import { Badge } from './parts/badges.js';
import { Notice } from './parts/notice.js';
import { formatSpan, formatTime, useNow } from './parts/time.js';
import { RequestsView } from './requests/requests.js';
import { hrefOf, type Route, useRoute, type View, VIEWS } from './router.js';
import { useStore } from './store.js';
import { CreateDialog } from './transactions/create-dialog.js';
import { TransactionsView } from './transactions/transactions.js';
import { WebhooksView } from './webhooks/webhooks.js';

const TITLES: Record<View, string> = {
  transactions: 'Transactions',
  requests: 'Requests',
  webhooks: 'Webhooks',
  faults: 'Faults',
  clock: 'Clock and state',
};

const CONTENT: Record<View, (route: Route) => preact.JSX.Element> = {
  transactions: ({ id }) => <TransactionsView id={id} />,
  requests: ({ id }) => <RequestsView id={id} />,
  webhooks: ({ id }) => <WebhooksView id={id} />,
  faults: () => <FaultsView />,
  clock: () => <ClockView />,
};

/** The whole console. */
function App() {
  const route = useRoute();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector('main')?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <h1>
          <a href={hrefOf('transactions')}>Berbix sandbox</a>
        </h1>
        <Connection />
        <Clock />
        <button type="button" class="button-primary" onClick={() => setCreating(true)}>
          Create transaction
        </button>
      </header>
      <Navigation view={route.view} />
      <Main route={route} />
      <Notice />
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function Navigation({ view }: { view: View }) {
  return (
    <nav aria-label="Views">
      {VIEWS.map((name) => (
        <a key={name} href={hrefOf(name)} aria-current={name === view ? 'page' : undefined}>
          {TITLES[name]}
          {name === 'faults' && <PendingFaults />}
        </a>
      ))}
      <hr />
      <a href="reference">Reference</a>
      <a href="verify">Open a verification</a>
    </nav>
  );
}

/** Seen from every view, since a fault explains what is odd in all of them. */
function PendingFaults() {
  const count = useStore((state) => state.pendingFaults);
  return count > 0 && <Badge text={`${count} pending`} tone="warning" />;
}

/** Takes the focus when another view opens, as a new page would. */
function Main({ route }: { route: Route }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { view } = route;
  const first = useRef(true);
  useEffect(() => {
    document.title = `${TITLES[view]} - Berbix sandbox`;
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [view]);
  return (
    <main tabIndex={-1}>
      <h2 ref={heading} tabIndex={-1}>
        {TITLES[view]}
      </h2>
      {CONTENT[view](route)}
    </main>
  );
}

const CONNECTION = {
  connecting: 'Connecting',
  open: 'Connected',
  lost: 'Not connected: waiting for the sandbox',
};

function Connection() {
  const connection = useStore((state) => state.connection);
  return (
    <p class={`connection connection-${connection}`} role="status">
      {CONNECTION[connection]}
    </p>
  );
}

/** More than a second or two between the clocks of two machines. */
const MOVED_MS = 30_000;

function Clock() {
  const now = useNow();
  const offset = useStore((state) => state.clockOffset);
  return (
    <p class="clock">
      <a href={hrefOf('clock')} title="The clock of the sandbox">
        {formatTime(now)}
      </a>{' '}
      {Math.abs(offset) > MOVED_MS && (
        <Badge text={`${formatSpan(offset)} ${offset > 0 ? 'ahead' : 'behind'}`} tone="warning" />
      )}
    </p>
  );
}

const root = document.getElementById('console') as HTMLElement;
root.replaceChildren();
follow();
render(<App />, root);
