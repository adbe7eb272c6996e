export * from './api.js';
export * from './errors.js';
export * from './tokens.js';
export * from './transactions.js';
export * from './uploads.js';
export * from './webhooks.js';
