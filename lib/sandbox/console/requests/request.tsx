import { useState } from 'preact/hooks';
import type { RecordedRequest } from '../api.js';
import { useAnswer } from '../parts/use-answer.js';
import { Button, CopyButton, run } from '../parts/controls.js';
import { Badge, toneOfStatus } from '../parts/badges.js';
import { Body, Facts, Panel } from '../parts/panel.js';
import { Empty } from '../parts/text.js';
import { formatDuration, Moment } from '../parts/time.js';
import { hrefOf } from '../router.js';
import { useStore } from '../store.js';
import { curlOf, loadRequest, pathOf, sendAgain } from './replay.js';

/** One request: what was sent, and how to send it again. */
export function RequestView({ id }: { id: string }) {
  const [secrets, setSecrets] = useState(false);
  const summary = useStore(({ requests }) => requests?.find((known) => known.id === id));
  const { content: request, gone } = useAnswer<RecordedRequest>(pathOf(id, secrets), summary);
  return (
    <Panel label="Request" list="requests" problem={gone}>
      {request && (
        <>
          <h3>
            <code>
              {request.method} <bdi>{request.path}</bdi>
            </code>{' '}
            <Badge
              text={request.status === null ? 'no answer' : String(request.status)}
              tone={toneOfStatus(request.status)}
            />
          </h3>
          <p>
            <Moment time={request.received_at} />, in {formatDuration(request.duration_ms)}
          </p>
          <Notes notes={request.notes} />
          <div class="actions">
            <Button onClick={() => run(() => sendAgain(id), 'The request was sent again.')}>
              Send again
            </Button>
            <CopyButton
              label="Copy as curl, with its secrets"
              copied="Copied, with the secrets of the request."
              text={async () => curlOf(await loadRequest(id))}
            >
              Copy as curl
            </CopyButton>
            <label class="check">
              <input
                type="checkbox"
                name="secrets"
                checked={secrets}
                onChange={({ currentTarget }) => setSecrets(currentTarget.checked)}
              />
              Show secrets
            </label>
          </div>
          <h4>Response</h4>
          {request.fault && (
            <p class="warning">
              A <a href={hrefOf('faults')}>fault</a> ({request.fault}) replaced or delayed this
              answer.
            </p>
          )}
          {request.response ? (
            <>
              <Facts facts={request.response.headers} />
              {request.response.body !== '' && <Body text={request.response.body} />}
            </>
          ) : (
            <Empty>There is no answer, or it has not ended yet.</Empty>
          )}
          <h4>Request</h4>
          <Facts facts={request.headers} />
          {request.body !== '' && <Body text={request.body} />}
        </>
      )}
    </Panel>
  );
}

function Notes({ notes }: { notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <div class="warning">
      <p>The sandbox accepts this request, but it departs from the documentation:</p>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </div>
  );
}
