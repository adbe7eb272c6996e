import type { BerbixKeyProvider, BerbixTokenStore } from 'nestjs-berbix';
import { reencryptTokens } from 'nestjs-berbix/token-store';

/** The same as `nestjs-berbix re-encrypt`, for your own store or a key provider. */
export async function reEncryptAll(
  store: BerbixTokenStore,
  keyProvider: BerbixKeyProvider,
): Promise<void> {
  const { total, changed } = await reencryptTokens({
    store,
    encryption: { keyProvider },
    onFailure: (key, { message }) => console.warn(JSON.stringify(key), message),
  });
  console.log(`${changed} of ${total} values have another key now`);
}
