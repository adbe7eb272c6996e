export * from './berbix.error.js';
export * from './berbix.errors.js';
export * from './berbix-exception.filter.js';
