export { PlaintextCipher } from './plaintext-cipher.js';
export { berbixEncryptionFromEnvironment } from './encryption.environment.js';
export type {
  BerbixEncryptionKey,
  BerbixEncryptionOptions,
  BerbixKeyProvider,
  BerbixOwnKeys,
  BerbixNamedKey,
} from './encryption.options.js';
export { checkedEncryption, type CheckedEncryption } from './encryption.validation.js';
export { encryptionKeyOf, unknownForm, type RecordCipher } from './sealed-text.js';
export { TokenCipher, type EncryptionSettings } from './token-cipher.js';
