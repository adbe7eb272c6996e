export { isDead } from './attempt-after.js';
export {
  checkHooks,
  freshnessSettings,
  type BerbixRotatedTokens,
  type BerbixTokenOptions,
  type FreshnessSettings,
} from './freshness.options.js';
export { deadlineError, noClientTokenError } from './renewal-errors.js';
export { StoredTokens } from './stored-tokens.js';
export { isLeeway, type TokenRequirement } from './token-requirement.js';
