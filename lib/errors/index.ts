export * from './berbix.error.js';
export * from './berbix.errors.js';
export * from './read-input.js';
export * from './secrets.js';
