import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs a function outside the async context of any request. Use it for work that several callers
 * share: its hooks then see the AsyncLocalStorage of none of them. Each caller awaits a promise of
 * the work, and continues in their own context.
 *
 * The context is the one in which this file was loaded. If an application loads the package inside
 * a request, it is the context of that request.
 */
export const outside: <T>(run: () => T) => T = AsyncLocalStorage.snapshot();
