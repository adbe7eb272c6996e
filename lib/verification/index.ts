export type { BerbixVerificationOptions } from './begin.options.js';
export * from './berbix-verification.service.js';
export * from './dto/verification-result.dto.js';
export * from './dto/verification-start.dto.js';
