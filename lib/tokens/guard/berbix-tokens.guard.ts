import {
  Inject,
  Injectable,
  SetMetadata,
  UseGuards,
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { BerbixConfigurationError, BerbixInputError, readInput } from '../../errors/index.js';
import { checkAccount, onlyKnown, findService } from '../../options/index.js';
import { isLeeway } from '../../renewal/index.js';
import type { BerbixTokenRef } from '../../values/index.js';
import { BerbixTokenService } from '../berbix-token.service.js';
import { keepTokens } from './guarded-tokens.js';

const REQUIREMENT = 'berbix:fresh-tokens';

/** For messages. */
const GUARD = { name: 'BerbixTokensGuard', decorator: '@RequireFreshTokens' };

/** Options of {@link RequireFreshTokens}. */
export interface RequireFreshTokensOptions {
  /** The account, if `forRoot` was given one. */
  account?: string | undefined;
  /** Milliseconds for which the tokens must be valid; see `BerbixTokenService.fresh`. */
  leewayMs?: number | undefined;
  /**
   * A guard of your own that extends {@link BerbixTokensGuard}.
   * @default BerbixTokensGuard
   */
  guard?: Type<BerbixTokensGuard> | undefined;
}

/** Returns whose tokens a request needs. */
export type BerbixTokenResolver<Request = never> = (
  request: Request,
  context: ExecutionContext,
) => BerbixTokenRef | PromiseLike<BerbixTokenRef>;

/** The arguments of the decorator. */
interface Requirement {
  resolve: BerbixTokenResolver<unknown>;
  account: string;
  leewayMs: number | undefined;
}

/** What is cached for a handler after its first call. */
interface GuardedHandler extends Requirement {
  /** The class on which it was called; a subclass may have a requirement of its own. */
  of: unknown;
  service: BerbixTokenService;
}

/**
 * Admits a call of the handler, or of every handler of a controller, only with fresh tokens of the
 * customer or transaction that the resolver returns. `@FreshTokens()` passes them to the handler.
 *
 * Take the customer from your login guard, never from the request itself: otherwise anyone who puts
 * another customer's uid into a URL could act in their place.
 *
 * Put the login guard below this decorator: Nest runs the guards of a handler from the lowest
 * decorator upwards, after global guards and those of its controller. In `applyDecorators`, put the
 * login guard first.
 *
 * @example
 * ```ts
 * const WithTokens = () =>
 *   applyDecorators(
 *     UseGuards(SignedInGuard),
 *     RequireFreshTokens((request: SignedInRequest) => ({ customerUid: request.user.id })),
 *   );
 * ```
 */
export function RequireFreshTokens<Request>(
  resolve: BerbixTokenResolver<Request>,
  options: RequireFreshTokensOptions = {},
): MethodDecorator & ClassDecorator {
  if (typeof resolve !== 'function') {
    throw new BerbixConfigurationError(
      '@RequireFreshTokens takes a function that returns the customer or transaction of a request.',
    );
  }
  onlyKnown<RequireFreshTokensOptions>('@RequireFreshTokens', options, {
    account: true,
    leewayMs: true,
    guard: true,
  });
  const { account, leewayMs, guard = BerbixTokensGuard } = options;
  if (!isLeeway(leewayMs)) {
    throw new BerbixConfigurationError(
      'leewayMs of @RequireFreshTokens must be a number of milliseconds, 0 or more.',
    );
  }
  return applyDecorators(
    SetMetadata(REQUIREMENT, {
      resolve,
      account: checkAccount('account of @RequireFreshTokens', account),
      leewayMs,
    }),
    UseGuards(guard),
  );
}

/**
 * The guard behind {@link RequireFreshTokens}, for HTTP, WebSockets, microservices and GraphQL. It
 * throws a {@link BerbixError}, which `BerbixExceptionFilter` turns into an HTTP answer.
 */
@Injectable()
export class BerbixTokensGuard implements CanActivate {
  /** Handlers that were called, each for the class on which it was called last. */
  readonly #handlers = new Map<unknown, GuardedHandler>();

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const handler = this.#handlerOf(context);
    let ref: BerbixTokenRef | PromiseLike<BerbixTokenRef>;
    try {
      ref = handler.resolve(this.getRequest(context), context);
    } catch (error) {
      throw resolverError(context, error);
    }
    return isThenable(ref)
      ? this.#admitLater(context, ref, handler)
      : this.#admit(context, ref, handler);
  }

  /**
   * The argument of the resolver: the HTTP request; the data of a message; for GraphQL, the request
   * in the context, or the context itself. Override it if your request is elsewhere.
   */
  protected getRequest(context: ExecutionContext): unknown {
    // By position: switchToHttp() and the like create new functions for every context.
    switch (context.getType<string>()) {
      case 'graphql': {
        // The last but one, also for a reference resolver, which has no arguments.
        const shared = context.getArgs<({ req?: unknown } | undefined)[]>().at(-2);
        return shared?.req ?? shared;
      }
      case 'ws':
        return context.getArgByIndex(1);
      default:
        return context.getArgByIndex(0);
    }
  }

  async #admitLater(
    context: ExecutionContext,
    later: PromiseLike<BerbixTokenRef>,
    handler: GuardedHandler,
  ): Promise<boolean> {
    let ref: BerbixTokenRef;
    try {
      ref = await later;
    } catch (error) {
      throw resolverError(context, error);
    }
    return this.#admit(context, ref, handler);
  }

  /** Synchronously if the tokens are in memory: a promise would cost Nest more than all of this. */
  #admit(
    context: ExecutionContext,
    ref: BerbixTokenRef,
    { service, leewayMs }: GuardedHandler,
  ): boolean | Promise<boolean> {
    if (ref === undefined || ref === null) {
      throw new BerbixInputError(
        `The function of @RequireFreshTokens on ${handlerName(context)} returned null or undefined for this request. ${GUARD_ORDER}`,
      );
    }
    // An Observable would take longer than all the rest. A mock of the service may lack `cached`.
    const tokens = leewayMs === undefined ? service.cached?.(ref) : undefined;
    if (tokens === undefined) return this.#admitFresh(context, service, ref, leewayMs);
    keepTokens(context, tokens);
    return true;
  }

  async #admitFresh(
    context: ExecutionContext,
    service: BerbixTokenService,
    ref: BerbixTokenRef,
    leewayMs: number | undefined,
  ): Promise<boolean> {
    keepTokens(context, await firstValueFrom(service.fresh(ref, { leewayMs })));
    return true;
  }

  #handlerOf(context: ExecutionContext): GuardedHandler {
    const known = this.#handlers.get(context.getHandler());
    if (known !== undefined && known.of === context.getClass()) return known;
    const requirement = this.#requirementOf(context);
    const { account } = requirement;
    const service = findService(this.moduleRef, BerbixTokenService, account, GUARD);
    const handler = { ...requirement, of: context.getClass(), service };
    this.#handlers.set(context.getHandler(), handler);
    return handler;
  }

  #requirementOf(context: ExecutionContext): Requirement {
    const requirement = this.reflector.getAllAndOverride<Requirement | undefined>(REQUIREMENT, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (requirement !== undefined) return requirement;
    throw new BerbixConfigurationError(
      `${handlerName(context)} has BerbixTokensGuard, but no @RequireFreshTokens. Add @RequireFreshTokens(request => ({ customerUid: ... })).`,
    );
  }
}

/** By its `then`: a promise of another library has a class of its own. */
function isThenable(
  ref: BerbixTokenRef | PromiseLike<BerbixTokenRef>,
): ref is PromiseLike<BerbixTokenRef> {
  return readInput(
    'The function of @RequireFreshTokens must return tokens, or a customer or transaction.',
    () => typeof (ref as Partial<PromiseLike<BerbixTokenRef>> | undefined)?.then === 'function',
  );
}

const GUARD_ORDER =
  'Is somebody signed in when it runs? Put the login guard below @RequireFreshTokens: Nest runs the guards of a handler from the lowest decorator upwards, after those of its controller and global ones.';

/**
 * Adds advice to a TypeError, as thrown by `request.user.id` without a user; other errors pass
 * unchanged.
 */
function resolverError(context: ExecutionContext, error: unknown): unknown {
  if ((error as Error | undefined)?.name !== 'TypeError') return error;
  return new BerbixConfigurationError(
    `The function of @RequireFreshTokens on ${handlerName(context)} failed with a TypeError. ${GUARD_ORDER}`,
  );
}

function handlerName(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
