export * from './berbix-token-store.js';
export * from './in-memory.token-store.js';
export * from './checked-store.js';
export * from './sealed-records.js';
export * from './encryption/index.js';
