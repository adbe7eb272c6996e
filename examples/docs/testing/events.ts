import type { BerbixSandbox, RecordedExchange } from 'nestjs-berbix/sandbox';

/** The exchange that some work of the application causes. */
export async function exchangeOf(
  sandbox: BerbixSandbox,
  work: () => Promise<unknown>,
): Promise<RecordedExchange> {
  // Before the work, so that the event cannot be missed.
  const answered = sandbox.events.next(
    'exchange',
    ({ exchange }) => exchange.outcome === 'answered',
    { signal: AbortSignal.timeout(10_000) },
  );
  await work();
  return (await answered).exchange;
}
