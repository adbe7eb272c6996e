import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';

/**
 * Submits a choice on the hosted page of the sandbox, as a browser would.
 *
 * @returns the webhooks that this caused, after they were handled
 */
export async function finishOnPage(
  sandbox: BerbixSandbox,
  hostedUrl: string,
  choice: string,
): Promise<WebhookDelivery[]> {
  const before = sandbox.deliveries.length;
  const body = new URLSearchParams({ choice });
  const response = await fetch(hostedUrl, { method: 'POST', body });
  if (!response.ok) throw new Error(`The hosted page answered ${response.status}.`);
  await sandbox.webhooks.settled();
  const deliveries = [...sandbox.deliveries].slice(before);
  const lost = deliveries.find(({ delivered }) => !delivered);
  if (lost === undefined) return deliveries;
  throw new Error(`The ${lost.kind} webhook was not accepted (${lost.status ?? lost.problem}).`);
}
