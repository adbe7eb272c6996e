import type { Exchange, TransactionDetails } from '../api.js';
import { Badge, type Tone } from '../parts/badges.js';
import { Empty } from '../parts/text.js';
import { formatDuration, Moment } from '../parts/time.js';
import { hrefOf } from '../router.js';

/** What became of the token that an exchange sent, in words. */
const FATES: Readonly<Record<string, readonly [text: string, tone: Tone]>> = {
  untouched: ['not reached', 'warning'],
  kept: ['kept', 'good'],
  rotated: ['rotated', 'good'],
  in_grace: ['rotated before, accepted in its grace period', 'warning'],
  stale: ['rotated before, refused', 'bad'],
  revoked: ['revoked, refused', 'bad'],
};

/** Each refresh token of a transaction, and the exchanges that sent it. */
export function RefreshTokens({ details }: { details: TransactionDetails }) {
  const { exchanges, generation: current } = details;
  const sent = exchanges.map(({ generation }) => generation);
  const first = Math.min(...sent, current);
  const latest = Math.max(...sent, current);
  const generations = Array.from({ length: latest - first + 1 }, (_, index) => first + index);
  return (
    <ol class="lineage">
      {generations.map((generation) => (
        <li key={generation}>
          <h5>
            {generation === 0 ? 'First refresh token' : `Refresh token ${generation + 1}`}
            {generation === current && <CurrentBadge details={details} />}
          </h5>
          <Exchanges exchanges={exchanges.filter((each) => each.generation === generation)} />
        </li>
      ))}
    </ol>
  );
}

function CurrentBadge({ details }: { details: TransactionDetails }) {
  return details.refresh_token_state === 'revoked' ? (
    <Badge text="revoked" tone="bad" />
  ) : (
    <Badge text="current" tone="plain" />
  );
}

function Exchanges({ exchanges }: { exchanges: readonly Exchange[] }) {
  if (exchanges.length === 0) return <Empty>Nobody has exchanged it.</Empty>;
  return (
    <>
      {clustersOf(exchanges).map((cluster) => (
        <Cluster key={cluster[0]?.request_id} exchanges={cluster} />
      ))}
    </>
  );
}

/** Exchanges that overlapped stay together; each of the others is alone. */
function clustersOf(exchanges: readonly Exchange[]): Exchange[][] {
  const clusters: Exchange[][] = [];
  let end = -Infinity;
  for (const exchange of exchanges) {
    const start = Date.parse(exchange.started_at);
    const latest = clusters.at(-1);
    if (exchange.overlaps && latest?.[0]?.overlaps && start <= end) latest.push(exchange);
    else clusters.push([exchange]);
    end = Math.max(end, start + (exchange.duration_ms ?? Infinity));
  }
  return clusters;
}

function Cluster({ exchanges }: { exchanges: readonly Exchange[] }) {
  const first = exchanges[0];
  if (first === undefined) return null;
  if (!first.overlaps) return <SingleExchange exchange={first} />;
  return (
    <section class="overlap" aria-label="Exchanges that overlapped">
      <p>
        <Badge text="Overlap" tone="bad" /> {countOf(exchanges.length)} of this refresh token ran at
        the same time. If each exchange rotates the token, only one of them gets the next one.
      </p>
      {exchanges.map((exchange) => (
        <div key={exchange.request_id}>
          <ExchangeLine exchange={exchange} />
          <Bar exchange={exchange} among={exchanges} />
        </div>
      ))}
    </section>
  );
}

function isLost({ outcome, sent_token: sent }: Exchange): boolean {
  return outcome === 'failed' && sent === 'rotated';
}

/** The worst that can happen: the token was replaced, and the client does not know the new one. */
function SingleExchange({ exchange }: { exchange: Exchange }) {
  if (!isLost(exchange)) return <ExchangeLine exchange={exchange} />;
  return (
    <section class="overlap" aria-label="An answer that was lost">
      <p>
        The exchange rotated the refresh token, but its answer was lost: the client does not have
        the new one.
      </p>
      <ExchangeLine exchange={exchange} />
    </section>
  );
}

function countOf(count: number): string {
  return count === 1 ? 'An exchange and an earlier one' : `${count} exchanges`;
}

function ExchangeLine({ exchange }: { exchange: Exchange }) {
  const { request_id: requestId, outcome, status, sent_token: sent } = exchange;
  const [fate, tone] = FATES[sent] ?? [sent, 'plain'];
  return (
    <p class="exchange">
      <a href={hrefOf('requests', requestId)}>
        <Moment time={exchange.started_at} />
      </a>
      <span>
        {outcome}
        {status !== null && ` ${status}`} in {formatDuration(exchange.duration_ms)}
      </span>
      <Badge text={fate} tone={tone} />
      {isLost(exchange) && <Badge text="answer lost" tone="bad" />}
      <bdi class="agent" title={exchange.user_agent ?? ''}>
        {exchange.user_agent ?? 'no user agent'}
      </bdi>
    </p>
  );
}

/** When the exchange ran, beside those that overlapped with it. */
function Bar({ exchange, among }: { exchange: Exchange; among: readonly Exchange[] }) {
  const spans = among.map(spanOf);
  const start = Math.min(...spans.map((span) => span.start));
  const length = Math.max(...spans.map((span) => span.end)) - start || 1;
  const own = spanOf(exchange);
  const style = {
    marginInlineStart: `${((own.start - start) / length) * 100}%`,
    inlineSize: `${Math.max(((own.end - own.start) / length) * 100, 1)}%`,
  };
  return (
    <div class="track" aria-hidden="true">
      <div class="bar" style={style} />
    </div>
  );
}

function spanOf({ started_at: startedAt, duration_ms: duration }: Exchange) {
  const start = Date.parse(startedAt);
  return { start, end: start + (duration ?? 0) };
}
