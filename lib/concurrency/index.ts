export {
  callLimits,
  shutDownError,
  type BerbixCallOptions,
  type CallLimits,
} from './call-options.js';
export { Limiter, NoTurn, type Wait } from './limiter.js';
export { LinkedList } from './linked-list.js';
export { Caller, observe, observeWait } from './observe.js';
export { Pauses } from './pauses.js';
export { SharedRuns, outside } from './shared-runs.js';
export { InFlight, drained, withTimeout } from './with-timeout.js';
