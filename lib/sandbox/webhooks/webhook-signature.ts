import { createHmac } from 'node:crypto';
import { SIGNATURE_VERSION } from '../../wire/index.js';

/** Value of the signature header: the secret is both the key and a part of what is signed. [sdk: all] */
export function signatureOf(secret: string, unixSeconds: number, body: string): string {
  const hex = createHmac('sha256', secret).update(`${unixSeconds},${secret},${body}`).digest('hex');
  return `${SIGNATURE_VERSION},${unixSeconds},${hex}`;
}
