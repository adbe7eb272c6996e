import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';

/** Sends a webhook as Berbix does. Resolves to the status of the answer. */
export async function deliver(url: string, secret: string, action: string): Promise<number> {
  const body = sampleWebhookBody({ transactionId: '4711', customerUid: 'ada', action });
  const { status } = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-berbix-signature': signBerbixWebhook({ secret, body }),
    },
    // Unchanged: the same JSON, serialized again, may have another signature.
    body,
  });
  return status;
}
