import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { BerbixConfigurationError } from '../../errors/index.js';
import type { BerbixTokens } from '../../values/index.js';

/**
 * The property of an HTTP request with its tokens: a WeakMap of requests would cost about as much
 * as the rest of the guard. Printing the request prints no token, since BerbixTokens hides them.
 */
const TOKENS = Symbol('nestjs-berbix:tokens');

/** With the handler, since a request may be forwarded to a handler without the guard. */
interface AdmittedTokens {
  handler: object;
  tokens: BerbixTokens;
}

/**
 * For all other calls, by handler and then by call: the call is the sender's data, and one event
 * may go to several handlers, each with a guard of its own.
 */
const OF_HANDLERS = new WeakMap<object, WeakMap<object, BerbixTokens>>();

/** Keeps the tokens for the handler. */
export function keepTokens(context: ExecutionContext, tokens: BerbixTokens): void {
  const call = findCall(context);
  if (call === undefined) return;
  const handler = context.getHandler();
  if (context.getType() === 'http') {
    call[TOKENS] = { handler, tokens };
    return;
  }
  let tokensByCall = OF_HANDLERS.get(handler);
  if (tokensByCall === undefined) OF_HANDLERS.set(handler, (tokensByCall = new WeakMap()));
  tokensByCall.set(call, tokens);
}

/**
 * The {@link BerbixTokens} with which the guard admitted this call; needs `@RequireFreshTokens`. In
 * a WebSocket gateway, the data of the message must be an object: a text cannot be distinguished
 * from another one of the same client.
 *
 * @example
 * ```ts
 * result(@FreshTokens() tokens: BerbixTokens) {
 *   return this.transactions.fetch(tokens);
 * }
 * ```
 */
export const FreshTokens = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const call = findCall(context);
  if (call === undefined) {
    throw new BerbixConfigurationError(
      '@FreshTokens() cannot distinguish this call from others, since its data is not an object. Send an object, or call BerbixTokenService.fresh() in the handler.',
    );
  }
  const handler = context.getHandler();
  if (call[TOKENS]?.handler === handler) return call[TOKENS].tokens;
  const tokens = OF_HANDLERS.get(handler)?.get(call);
  if (tokens !== undefined) return tokens;
  throw new BerbixConfigurationError(
    'There are no tokens for @FreshTokens(). Add @RequireFreshTokens(...) to the handler.',
  );
});

type Call = object & { [TOKENS]?: AdmittedTokens };

/**
 * An object that belongs to this call alone: guard and handler get different execution contexts.
 * Undefined rather than an object that calls share, such as the socket of a client: one call would
 * get the tokens of the other.
 */
function findCall(context: ExecutionContext): Call | undefined {
  const args = context.getArgs<unknown[]>();
  switch (context.getType<string>()) {
    case 'graphql':
      // The info of the field that is resolved; it comes last, also for a reference resolver.
      return asObject(args.at(-1));
    case 'rpc':
      // The context of the message, or its data if the transport has none.
      return asObject(args[1]) ?? asObject(args[0]);
    case 'ws':
      // The data; the client comes first.
      return asObject(args[1]);
    default:
      // The request, or the first argument of a library with a context type of its own.
      return asObject(args[0]);
  }
}

function asObject(value: unknown): Call | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
