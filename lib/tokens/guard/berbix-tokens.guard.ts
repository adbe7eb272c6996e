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
import type { BerbixTokenService } from '../berbix-token.service.js';
import { isLeeway } from '../freshness/index.js';
import { getBerbixTokenServiceToken } from '../token-service.token.js';
import type { TokenRef } from '../token-source.js';
import { keepTokens } from './guarded-tokens.js';

const REQUIREMENT = 'berbix:fresh-tokens';

/** Options of {@link RequireFreshTokens}. */
export interface RequireFreshTokensOptions {
  /** The name of the account, as passed to `forRoot`, if it has one. */
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
export type TokenResolver<Request = never> = (
  request: Request,
  context: ExecutionContext,
) => TokenRef | PromiseLike<TokenRef>;

/** The arguments of the decorator. */
interface Requirement {
  resolve: TokenResolver<unknown>;
  options: RequireFreshTokensOptions;
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
  resolve: TokenResolver<Request>,
  options: RequireFreshTokensOptions = {},
): MethodDecorator & ClassDecorator {
  if (typeof resolve !== 'function') {
    throw new BerbixConfigurationError(
      '@RequireFreshTokens takes a function that says of a request whose tokens it needs.',
    );
  }
  if (!isLeeway(options.leewayMs)) {
    throw new BerbixConfigurationError(
      'leewayMs of @RequireFreshTokens must be a number of milliseconds, 0 or more.',
    );
  }
  return applyDecorators(
    SetMetadata(REQUIREMENT, { resolve, options }),
    UseGuards(options.guard ?? BerbixTokensGuard),
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
    let source: TokenRef | PromiseLike<TokenRef>;
    try {
      source = handler.resolve(this.getRequest(context), context);
    } catch (error) {
      throw resolverError(context, error);
    }
    return isThenable(source)
      ? this.#admitLater(context, source, handler)
      : this.#admit(context, source, handler);
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
    later: PromiseLike<TokenRef>,
    handler: GuardedHandler,
  ): Promise<boolean> {
    let source: TokenRef;
    try {
      source = await later;
    } catch (error) {
      throw resolverError(context, error);
    }
    return this.#admit(context, source, handler);
  }

  /** Synchronously if the tokens are in memory: a promise would cost Nest more than all of this. */
  #admit(
    context: ExecutionContext,
    source: TokenRef,
    { service, options: { leewayMs } }: GuardedHandler,
  ): boolean | Promise<boolean> {
    if (source === undefined || source === null) {
      throw new BerbixInputError(
        `The function of @RequireFreshTokens on ${nameOf(context)} returned null or undefined for this request. ${GUARD_ORDER}`,
      );
    }
    // An Observable would take longer than all the rest. A mock of the service may lack `cached`.
    const tokens = leewayMs === undefined ? service.cached?.(source) : undefined;
    if (tokens === undefined) return this.#admitFresh(context, service, source, leewayMs);
    keepTokens(context, tokens);
    return true;
  }

  async #admitFresh(
    context: ExecutionContext,
    service: BerbixTokenService,
    source: TokenRef,
    leewayMs: number | undefined,
  ): Promise<boolean> {
    keepTokens(context, await firstValueFrom(service.fresh(source, { leewayMs })));
    return true;
  }

  #handlerOf(context: ExecutionContext): GuardedHandler {
    const known = this.#handlers.get(context.getHandler());
    if (known !== undefined && known.of === context.getClass()) return known;
    const requirement = this.#requirementOf(context);
    const service = this.#serviceOf(requirement.options.account);
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
      `${nameOf(context)} has BerbixTokensGuard and does not say whose tokens it needs. Add @RequireFreshTokens(request => ({ customerUid: ... })).`,
    );
  }

  /** The service of the account, wherever its module is imported. */
  #serviceOf(account: string | undefined): BerbixTokenService {
    try {
      return this.moduleRef.get(getBerbixTokenServiceToken(account), { strict: false });
    } catch {
      throw new BerbixConfigurationError(
        account === undefined
          ? 'BerbixTokensGuard needs BerbixModule.forRoot without a name, or the name of the account in the options of @RequireFreshTokens.'
          : `BerbixTokensGuard needs BerbixModule.forRoot with the name "${account}".`,
      );
    }
  }
}

/** By its `then`: a promise of another library has a class of its own. */
function isThenable(source: TokenRef | PromiseLike<TokenRef>): source is PromiseLike<TokenRef> {
  return readInput(
    'The function of @RequireFreshTokens says whose tokens a request needs.',
    () => typeof (source as Partial<PromiseLike<TokenRef>> | undefined)?.then === 'function',
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
    `The function of @RequireFreshTokens on ${nameOf(context)} failed with a TypeError. ${GUARD_ORDER}`,
  );
}

function nameOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
