export * from './berbix-transaction.service.js';
export * from './create-transaction.dto.js';
