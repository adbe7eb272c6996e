import { TokenSigner } from '../auth/tokens.js';
import type { BerbixSandboxOptions } from '../options.js';
import { resolveSettings } from '../resolve-settings.js';
import type { SandboxSettings } from '../settings.js';
import { PostgresStorage } from './postgres-storage.js';
import { identityOf, InMemoryStorage, type SandboxStorage } from './storage.js';

/** The state from which a sandbox starts. */
export interface Restored {
  settings: SandboxSettings;
  storage: SandboxStorage;
  signer: TokenSigner;
}

/** Opens the storage. Options take precedence over the stored identity, and are stored for next time. */
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
