export * from './berbix.error.js';
export * from './error-classes.js';
export * from './read-input.js';
export * from './compare-by.js';
