import { Component } from 'preact';
import { useState } from 'preact/hooks';
import { call, type RequestSummary } from '../api.js';
import { Button, Field, run } from '../parts/controls.js';
import { Badge, toneOfStatus } from '../parts/badges.js';
import { Empty, Loading, Rest } from '../parts/text.js';
import { formatDuration, Moment } from '../parts/time.js';
import { hrefOf } from '../router.js';
import { MAX_SHOWN, update, useStore } from '../store.js';
import { RequestView } from './request.js';

/** The requests to the API so far, and one of them beside the list. */
export function RequestsView({ id }: { id: string | undefined }) {
  const [path, setPath] = useState('');
  const requests = useStore((state) => state.requests);
  return (
    <div class={id === undefined ? 'split' : 'split split-open'}>
      <section aria-label="All requests">
        <div class="toolbar">
          <Field label="Path contains">
            <input
              type="search"
              name="path"
              value={path}
              onInput={({ currentTarget }) => setPath(currentTarget.value)}
            />
          </Field>
          <Button onClick={clear} disabled={!requests?.length}>
            Clear
          </Button>
        </div>
        {requests === undefined ? (
          <Loading />
        ) : (
          <RequestList requests={requests} path={path} selected={id} />
        )}
        {requests !== undefined && requests.length >= MAX_SHOWN && (
          <Rest path="requests" text={`Only the last ${MAX_SHOWN} are here.`} />
        )}
      </section>
      {id !== undefined && <RequestView key={id} id={id} />}
    </div>
  );
}

function RequestList({
  requests,
  path,
  selected,
}: {
  requests: readonly RequestSummary[];
  /** What their paths contain. */
  path: string;
  selected: string | undefined;
}) {
  if (requests.length === 0) {
    return (
      <Empty>
        No request yet. Point your backend, an official SDK or curl at{' '}
        <code>{location.origin}</code>.
      </Empty>
    );
  }
  const shown = requests.filter((request) => request.path.includes(path));
  if (shown.length === 0) return <Empty>None of these requests has this path.</Empty>;
  return (
    <table class="list">
      <caption class="hidden">Requests, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Request</th>
          <th scope="col">Status</th>
          <th scope="col">Took</th>
          <th scope="col">At</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((request) => (
          <Row key={request.id} request={request} isSelected={request.id === selected} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  request: RequestSummary;
  isSelected: boolean;
}

/** Drawn again only if its own request has changed: there may be many, at any time. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate({ request, isSelected }: RowProps): boolean {
    return request !== this.props.request || isSelected !== this.props.isSelected;
  }

  override render({ request, isSelected }: RowProps) {
    const { id, method, path, status, notes, fault } = request;
    return (
      <tr>
        <td>
          <a href={hrefOf('requests', id)} aria-current={isSelected ? 'true' : undefined}>
            <code>
              {method} <bdi>{path}</bdi>
            </code>
          </a>
          {fault && <Badge text={`fault: ${fault}`} tone="warning" />}
          {notes.length > 0 && <Badge text="departs from the documentation" tone="warning" />}
        </td>
        <td>
          <Badge
            text={status === null ? 'no answer' : String(status)}
            tone={toneOfStatus(status)}
          />
        </td>
        <td>{formatDuration(request.duration_ms)}</td>
        <td>
          <Moment time={request.received_at} />
        </td>
      </tr>
    );
  }
}

function clear(): Promise<boolean> {
  return run(async () => {
    await call('DELETE', 'requests');
    update(() => ({ requests: [] }));
  }, 'The list of requests is empty.');
}
