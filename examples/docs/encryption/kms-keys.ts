import type { BerbixEncryptionOptions, BerbixKeyProvider, BerbixNamedKey } from 'nestjs-berbix';

/** Unwraps keys: AWS KMS, Google Cloud KMS, Vault Transit, an HSM. */
interface Kms {
  decrypt(wrapped: Uint8Array): Promise<Uint8Array>;
}

/** Data keys, wrapped by the KMS, in a file or table of the application; the newest last. */
type WrappedKeys = ReadonlyMap<string, Uint8Array>;

/** Keys that are unencrypted only in the memory of the application. */
export class KmsKeys implements BerbixKeyProvider {
  constructor(
    private readonly kms: Kms,
    private readonly wrappedKeys: WrappedKeys,
  ) {}

  async current(): Promise<BerbixNamedKey> {
    const [id, wrapped] = [...this.wrappedKeys].at(-1) ?? [];
    if (id === undefined || wrapped === undefined) throw new Error('There is no data key.');
    return { id, key: await this.kms.decrypt(wrapped) };
  }

  async byId(id: string): Promise<Uint8Array | undefined> {
    const wrapped = this.wrappedKeys.get(id);
    return wrapped && this.kms.decrypt(wrapped);
  }
}

export const encryptionBy = (keyProvider: BerbixKeyProvider): BerbixEncryptionOptions => ({
  keyProvider,
});
