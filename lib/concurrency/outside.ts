import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs a function outside any request's async context: for work that several callers share, so that
 * its hooks see the AsyncLocalStorage of none of them. Callers wait for such work by a promise, after
 * which each goes on in its own context.
 *
 * The context is the one in which this file was loaded. If an application loads the package inside
 * a request, it is the context of that request.
 */
export const outside: <T>(run: () => T) => T = AsyncLocalStorage.snapshot();
