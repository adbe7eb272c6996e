import { call, type TransactionDetails } from '../api.js';
import { Button, run } from '../parts/controls.js';
import { formatSpan, formatTime, useNow } from '../parts/time.js';

/** How much of the tokens is left, and the moments of their life to which the clock can move. */
export function Lifetimes({ details }: { details: TransactionDetails }) {
  const now = useNow();
  const issued = issuedAt(details);
  const end = details.tokens_expire_at === null ? undefined : Date.parse(details.tokens_expire_at);
  const left = end === undefined ? 0 : end - now;
  // The latest ones are from this run of the sandbox.
  const isCertain =
    end !== undefined || details.exchanges.some((exchange) => exchange.tokens_expire_at !== null);
  return (
    <div class="lifetimes">
      {end === undefined || left <= 0 ? (
        <p>
          {isCertain ? (
            <strong class="expired">They have expired.</strong>
          ) : (
            <>
              <strong class="expired">They have expired</strong>, unless they are from before a
              restart or an import.
            </>
          )}{' '}
          {details.refresh_token_state === 'revoked'
            ? 'There will be no new ones: the refresh token was revoked.'
            : 'An exchange of the refresh token gives new ones.'}
        </p>
      ) : (
        <p>
          <label>
            They expire in <strong>{formatSpan(left)}</strong>
            <meter min={0} max={end - issued} low={(end - issued) / 4} value={left} />
          </label>
        </p>
      )}
      <div class="actions">
        {end !== undefined && (
          <>
            <MoveButton to={issued + (end - issued) * 0.75} now={now}>
              Move clock to ¾ of their lifetime
            </MoveButton>
            <MoveButton to={end} now={now}>
              Move clock to their expiry
            </MoveButton>
          </>
        )}
        <MoveButton
          to={Date.parse(details.purges_at)}
          now={now}
          title="The sandbox deletes the transaction then"
        >
          Move clock to the purge
        </MoveButton>
      </div>
    </div>
  );
}

function MoveButton({
  to,
  now,
  title,
  children,
}: {
  to: number;
  now: number;
  title?: string;
  children: string;
}) {
  const move = (): Promise<boolean> =>
    run(
      () => call('POST', 'clock', { now: new Date(to).toISOString() }),
      `The clock shows ${formatTime(to)}.`,
    );
  return (
    <Button disabled={to <= now} onClick={move} title={title}>
      {children}
    </Button>
  );
}

/** When the latest tokens were issued: by the last exchange that was answered, or at the creation. */
function issuedAt({
  exchanges,
  created_at: createdAt,
  tokens_expire_at: end,
}: TransactionDetails): number {
  const latest = exchanges.findLast(
    (exchange) => exchange.tokens_expire_at === end && end !== null,
  );
  return Date.parse(latest?.started_at ?? createdAt);
}
