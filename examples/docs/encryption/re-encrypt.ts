import { reencryptTokens, type BerbixKeyProvider, type BerbixTokenStore } from 'nestjs-berbix';

/** What `nestjs-berbix re-encrypt` does, for a store of your own or a key provider. */
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
