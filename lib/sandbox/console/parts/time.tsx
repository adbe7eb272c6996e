import { useStore } from '../store.js';

const UNITS: readonly [unit: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** Made once, since that takes longer than the rest of a row. */
const TIME_OF_DAY = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });
const DATE_AND_TIME = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

/** The time of the sandbox in milliseconds, which goes on every second. */
export function useNow(): number {
  return useStore(({ now }) => now);
}

/** A time span in its two largest units: `2 h 5 min`. */
export function formatSpan(ms: number): string {
  const first = UNITS.findIndex(([, size]) => Math.abs(ms) >= size);
  if (first === -1) return '0 s';
  let rest = Math.abs(ms);
  const parts = UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${unit}` : '';
  });
  return parts.filter(Boolean).join(' ');
}

/** Milliseconds as a person reads them: `12 ms`, `1.5 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '…';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A date and time in the browser's time zone. */
export function formatTime(ms: number): string {
  return DATE_AND_TIME.format(ms);
}

/**
 * A time as `5 min ago` or `in 3 d`, with the whole date as its title. What has just happened may be less
 * than a second ahead of the time that the page shows.
 */
export function Ago({ time }: { time: string }) {
  const now = useNow();
  const at = Date.parse(time);
  const span = formatSpan(at - now);
  return (
    <time dateTime={time} title={formatTime(at)}>
      {at - now < 1_000 ? `${span} ago` : `in ${span}`}
    </time>
  );
}

/** The time of day to the millisecond, for what happens close together. */
export function Moment({ time }: { time: string }) {
  const date = new Date(time);
  const text = TIME_OF_DAY.format(date);
  return (
    <time dateTime={time} title={formatTime(date.getTime())}>
      {text}
      <small>.{String(date.getMilliseconds()).padStart(3, '0')}</small>
    </time>
  );
}
