import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';

/**
 * Makes a choice on the hosted page of the sandbox, as a browser sends it.
 *
 * @returns the webhooks that came of it, handled
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
  throw new Error(`The webhook ${lost.kind} was not taken (${lost.status ?? lost.problem}).`);
}
