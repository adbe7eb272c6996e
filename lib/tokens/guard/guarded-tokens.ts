import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { BerbixConfigurationError } from '../../errors/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';

/**
 * By handler, and then by call. Not on the request, where a logger may print it or other code may put
 * something; and one event may go to several handlers, each with a guard of its own.
 */
const TOKENS = new WeakMap<object, WeakMap<object, BerbixTokens>>();

/** Keeps the tokens for the handler. */
export function keepTokens(context: ExecutionContext, tokens: BerbixTokens): void {
  const call = callOf(context);
  if (call === undefined) return;
  const handler = context.getHandler();
  let kept = TOKENS.get(handler);
  if (kept === undefined) TOKENS.set(handler, (kept = new WeakMap()));
  kept.set(call, tokens);
}

/**
 * The {@link BerbixTokens} with which the guard let this call in; needs `@RequireFreshTokens`. In a
 * WebSocket gateway the message needs data that are an object, too: a text cannot be told from
 * another one of the same client.
 *
 * @example
 * ```ts
 * @Get('result')
 * @RequireFreshTokens((request: SignedInRequest) => ({ customerUid: request.user.id }))
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
  const tokens = TOKENS.get(context.getHandler())?.get(call);
  if (tokens !== undefined) return tokens;
  throw new BerbixConfigurationError(
    'There are no tokens for @FreshTokens(). Add @RequireFreshTokens(...) to the handler.',
  );
});

/**
 * What this call has for itself, and no other that runs at the same time: the execution context is
 * another one in guard and handler. Undefined rather than something that calls share, such as the
 * socket of a client: one would get the tokens of the other.
 */
function callOf(context: ExecutionContext): object | undefined {
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

function objectOf(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
