export type { TokenStoreCase } from './contract/contract-case.js';
export { tokenStoreContract } from './token-store-contract.js';
