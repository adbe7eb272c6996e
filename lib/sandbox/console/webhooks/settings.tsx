import { useEffect, useState } from 'preact/hooks';
import { call, type Delivery, type WebhookUrls } from '../api.js';
import { Button, Field, Form, run } from '../parts/controls.js';
import { hrefOf } from '../router.js';
import { useStore } from '../store.js';

const KINDS = ['finished', 'status'] as const;

const LABELS = {
  finished: 'When the customer has finished',
  status: 'When the action is determined or changed',
};

/** The URLs of both webhooks, and a sample for each. */
export function WebhookSettings() {
  const [urls, setUrls] = useState<WebhookUrls>();
  /** Until somebody folds or unfolds them. */
  const [isOpen, setOpen] = useState(true);
  const connection = useStore((state) => state.connection);
  useEffect(() => {
    if (connection !== 'open') return;
    void run(async () => {
      const loaded = await call<WebhookUrls>('GET', 'webhooks');
      setUrls(loaded);
      setOpen(KINDS.every((kind) => loaded[kind] === null));
    });
  }, [connection]);
  const save = (values: FormData): Promise<boolean> =>
    run(async () => {
      const body = Object.fromEntries(KINDS.map((kind) => [kind, values.get(kind) || null]));
      setUrls(await call<WebhookUrls>('PUT', 'webhooks', body));
    }, 'The URLs are saved.');
  if (urls === undefined) return null;
  return (
    <>
      <details
        class="card"
        open={isOpen}
        onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      >
        <summary>URLs</summary>
        <Form submit="Save" onSubmit={save}>
          {KINDS.map((kind) => (
            <Field key={kind} label={LABELS[kind]}>
              <input
                name={kind}
                type="url"
                placeholder={`http://localhost:3000/webhooks/berbix/${kind}`}
                defaultValue={urls[kind] ?? ''}
              />
            </Field>
          ))}
        </Form>
      </details>
      <div class="actions">
        {KINDS.map((kind) => (
          <Button key={kind} disabled={urls[kind] === null} onClick={() => sendSample(kind)}>
            Send a {kind} sample
          </Button>
        ))}
      </div>
    </>
  );
}

function sendSample(kind: string): Promise<boolean> {
  return run(async () => {
    const { id } = await call<Delivery>('POST', 'webhooks/test', { kind });
    location.hash = hrefOf('webhooks', id);
  });
}
