import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { BerbixConfigurationError } from '../../errors/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';

/**
 * Where an HTTP request has them: a WeakMap of requests costs about as much as all else that the
 * guard does. What prints a request prints no token, since tokens do not show.
 */
const KEPT = Symbol('nestjs-berbix:tokens');

/** For this handler: a request may be passed on to one that has no guard. */
interface Kept {
  handler: object;
  tokens: BerbixTokens;
}

/**
 * Of all else by handler, and then by call: what came is the sender's data, and one event may go to
 * several handlers, each with a guard of its own.
 */
const OF_HANDLERS = new WeakMap<object, WeakMap<object, BerbixTokens>>();

/** Keeps the tokens for the handler. */
export function keepTokens(context: ExecutionContext, tokens: BerbixTokens): void {
  const call = callOf(context);
  if (call === undefined) return;
  const handler = context.getHandler();
  if (context.getType() === 'http') {
    call[KEPT] = { handler, tokens };
    return;
  }
  let kept = OF_HANDLERS.get(handler);
  if (kept === undefined) OF_HANDLERS.set(handler, (kept = new WeakMap()));
  kept.set(call, tokens);
}

/**
 * The {@link BerbixTokens} with which the guard let this call in; needs `@RequireFreshTokens`. In a
 * WebSocket gateway the message needs data that are an object, too: a text cannot be told from
 * another one of the same client.
 *
 * @example
 * ```ts
 * result(@FreshTokens() tokens: BerbixTokens) {
 *   return this.transactions.fetch(tokens);
 * }
 * ```
 */
export const FreshTokens = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const call = callOf(context);
  if (call === undefined) {
    throw new BerbixConfigurationError(
      '@FreshTokens() cannot tell this call from others, since its data are no object. Send an object, or ask BerbixTokenService.fresh() in the handler.',
    );
  }
  const handler = context.getHandler();
  if (call[KEPT]?.handler === handler) return call[KEPT].tokens;
  const tokens = OF_HANDLERS.get(handler)?.get(call);
  if (tokens !== undefined) return tokens;
  throw new BerbixConfigurationError(
    'There are no tokens for @FreshTokens(). Add @RequireFreshTokens(...) to the handler.',
  );
});

type Call = object & { [KEPT]?: Kept };

/**
 * What this call has for itself, and no other that runs at the same time: the execution context is
 * another one in guard and handler. Undefined rather than something that calls share, such as the
 * socket of a client: one would get the tokens of the other.
 */
function callOf(context: ExecutionContext): Call | undefined {
  const args = context.getArgs<unknown[]>();
  switch (context.getType<string>()) {
    case 'graphql':
      // The field that is resolved; it comes last, also where a reference is resolved.
      return objectOf(args.at(-1));
    case 'rpc':
      // The context of the message; its data where the transport has none.
      return objectOf(args[1]) ?? objectOf(args[0]);
    case 'ws':
      // The data; before them comes the client.
      return objectOf(args[1]);
    default:
      // The request; and what libraries with a context type of their own begin with.
      return objectOf(args[0]);
  }
}

function objectOf(value: unknown): Call | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
