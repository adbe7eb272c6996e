import type { BerbixSandboxOptions } from '../sandbox.options.js';
import { resolveSettings, type SandboxSettings } from '../sandbox.settings.js';
import { TokenSigner } from '../tokens/token-signer.js';
import { PostgresStorage } from './postgres-storage.js';
import { identityOf, InMemoryStorage, type SandboxStorage } from './sandbox-storage.js';

/** What a sandbox starts from. */
export interface Restored {
  settings: SandboxSettings;
  storage: SandboxStorage;
  signer: TokenSigner;
}

/**
 * Opens the storage, and is the sandbox again that it was: what is given as an option wins over what
 * was kept, and is kept from then on.
 */
export async function restore(options: BerbixSandboxOptions | undefined): Promise<Restored> {
  // All options are checked before anything is written.
  const { dataDir } = resolveSettings(options);
  const storage =
    dataDir === undefined ? new InMemoryStorage() : await PostgresStorage.open(dataDir);
  try {
    const kept = await storage.loadIdentity();
    const settings = resolveSettings(options, kept);
    const identity = identityOf(settings, kept?.signingKey);
    await storage.saveIdentity(identity);
    const signer = new TokenSigner(Buffer.from(identity.signingKey, 'base64'));
    return { settings, storage, signer };
  } catch (error) {
    await storage.close();
    throw error;
  }
}
