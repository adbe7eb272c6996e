export {
  DEFAULT_ACCOUNT,
  InjectBerbix,
  accountKey,
  accountProvider,
  checkAccount,
  getBerbixToken,
  ofAccount,
  findService,
} from './account.js';
export { checkBoolean, checkFunction, checkInteger, onlyKnown } from './checks.js';
export { BERBIX_OPTIONS, ConcealedOptions } from './concealed-options.js';
