import type { BerbixSandbox, WebhookDelivery } from 'nestjs-berbix/sandbox';

/**
 * Submits a choice in the frame of the sandbox, as a browser would.
 *
 * @returns the webhooks that this caused, after they were handled
 */
export async function finishInFrame(
  sandbox: BerbixSandbox,
  clientToken: string,
  choice: string,
): Promise<WebhookDelivery[]> {
  const before = sandbox.deliveries.length;
  const body = new URLSearchParams({ choice });
  const frame = `${sandbox.url}/v0/verify?client_token=${clientToken}`;
  const response = await fetch(frame, { method: 'POST', body });
  if (!response.ok) throw new Error(`The frame answered ${response.status}.`);
  await sandbox.webhooks.settled();
  const deliveries = [...sandbox.deliveries].slice(before);
  const lost = deliveries.find(({ delivered }) => !delivered);
  if (lost === undefined) return deliveries;
  throw new Error(`The ${lost.kind} webhook was not accepted (${lost.status ?? lost.problem}).`);
}
