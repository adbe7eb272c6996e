export { drained } from './drain.js';
export { Limiter, NoTurn, type Wait } from './limiter.js';
export { Caller, observe } from './observe.js';
export { outside } from './outside.js';
export { SharedRuns } from './shared-runs.js';
