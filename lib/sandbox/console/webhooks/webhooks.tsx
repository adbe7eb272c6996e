import { call, type DeliverySummary } from '../api.js';
import { Button, run } from '../parts/controls.js';
import { Badge, DeliveryBadge } from '../parts/badges.js';
import { Empty, Loading, Rest, Uid } from '../parts/text.js';
import { Moment } from '../parts/time.js';
import { hrefOf } from '../router.js';
import { MAX_SHOWN, update, useStore } from '../store.js';
import { DeliveryView } from './delivery.js';
import { WebhookSettings } from './settings.js';

/** Where webhooks go, and what became of each. */
export function WebhooksView({ id }: { id: string | undefined }) {
  const deliveries = useStore((state) => state.deliveries);
  return (
    <div class={id === undefined ? 'split' : 'split split-open'}>
      <section aria-label="All webhooks">
        <WebhookSettings />
        <div class="toolbar">
          <h3>Deliveries</h3>
          <Button onClick={clear} disabled={!deliveries?.length}>
            Clear
          </Button>
        </div>
        {deliveries === undefined ? (
          <Loading />
        ) : (
          <DeliveryList deliveries={deliveries} selected={id} />
        )}
        {deliveries !== undefined && deliveries.length >= MAX_SHOWN && (
          <Rest path="webhooks/deliveries" text={`Only the last ${MAX_SHOWN} are here.`} />
        )}
      </section>
      {id !== undefined && <DeliveryView key={id} id={id} />}
    </div>
  );
}

function DeliveryList({
  deliveries,
  selected,
}: {
  deliveries: readonly DeliverySummary[];
  selected: string | undefined;
}) {
  if (deliveries.length === 0) {
    return <Empty>No webhook yet. Set a URL above, and complete a transaction.</Empty>;
  }
  return (
    <table class="list">
      <caption class="hidden">Webhooks, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Webhook</th>
          <th scope="col">Sent</th>
          <th scope="col">Outcome</th>
          <th scope="col">Attempts</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          <tr key={delivery.id}>
            <td>
              <a
                href={hrefOf('webhooks', delivery.id)}
                aria-current={delivery.id === selected ? 'true' : undefined}
              >
                {delivery.kind}
              </a>{' '}
              {delivery.fault && <Badge text={delivery.fault} tone="plain" />}{' '}
              <Uid text={delivery.customer_uid} />
            </td>
            <td>{delivery.sent_at && <Moment time={delivery.sent_at} />}</td>
            <td>
              <DeliveryBadge delivery={delivery} />
            </td>
            <td>{delivery.attempts}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function clear(): Promise<boolean> {
  return run(async () => {
    await call('DELETE', 'webhooks/deliveries');
    update(() => ({ deliveries: [] }));
  }, 'The list of deliveries is empty.');
}
