export * from './berbix.error.js';
export * from './berbix.errors.js';
export * from './berbix-exception.filter.js';
export * from './compare-by.js';
export * from './read-input.js';
export * from './redacted.js';
