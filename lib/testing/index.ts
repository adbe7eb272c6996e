/**
 * Test doubles, a clock, samples, and the contract of token stores.
 *
 * @module nestjs-berbix/testing
 */

export { BerbixTestingModule, type BerbixTestingOptions } from './berbix-testing.module.js';
export type { TokenStoreCase } from './contract/contract-case.js';
export { FakeBerbix, type FakeCall } from './fake-berbix.js';
export { FakeClock } from './fake-clock.js';
export { sampleTokens } from './sample-tokens.js';
export { tokenStoreContract } from './token-store-contract.js';
export {
  sampleWebhookBody,
  signBerbixWebhook,
  type SampleWebhook,
  type SignBerbixWebhookOptions,
} from './webhooks.js';
