export { PlaintextCipher, unknownForm } from './plaintext-cipher.js';
export { encryptionKeysFromEnvironment } from './encryption.environment.js';
export type {
  BerbixEncryptionKey,
  BerbixEncryptionOptions,
  BerbixKeyProvider,
  BerbixOwnKeys,
  BerbixProvidedKeys,
  NamedEncryptionKey,
} from './encryption.options.js';
export { checkedEncryption, type CheckedEncryption } from './encryption.validation.js';
export {
  reencryptTokens,
  type ReencryptionCounts,
  type ReencryptionOptions,
} from './reencrypt-tokens.js';
export { TokenCipher } from './token-cipher.js';
