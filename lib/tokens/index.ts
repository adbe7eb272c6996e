export * from './berbix-token.service.js';
export * from './berbix-tokens.js';
export * from './dto/berbix-tokens.dto.js';
export * from './dto/client-token.dto.js';
export * from './dto/refresh-tokens.dto.js';
export { checkTokenAnswer, mergeTokens } from './token-answer.js';
