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
  /** Name of the account, as given to `forRoot`, if it has one. */
  account?: string | undefined;
  /** Milliseconds that the tokens must be good for; see `BerbixTokenService.fresh`. */
  leewayMs?: number | undefined;
  /**
   * A guard of your own that extends {@link BerbixTokensGuard}.
   * @default BerbixTokensGuard
   */
  guard?: Type<BerbixTokensGuard> | undefined;
}

/** Says of a request whose tokens it needs. */
export type TokenResolver<Request = never> = (
  request: Request,
  context: ExecutionContext,
) => TokenRef | PromiseLike<TokenRef>;

/** As the decorator has it. */
interface Requirement {
  resolve: TokenResolver<unknown>;
  options: RequireFreshTokensOptions;
}

/** What is known of a handler once it was called. */
interface GuardedHandler extends Requirement {
  /** The class that it was called on; another that inherits it may have a requirement of its own. */
  of: unknown;
  service: BerbixTokenService;
}

/**
 * Lets a call of the handler, or of every handler of a controller, in only with fresh tokens of the
 * customer or transaction that the resolver names; `@FreshTokens()` hands them to the handler.
 *
 * Name the customer by what your login guard has found out, never by what the request says of
 * itself: whoever writes another's uid into a URL would act in his place.
 *
 * Put the login guard below this decorator: Nest runs the guards of a handler from the lowest
 * decorator upwards, after those of its controller and global ones. In `applyDecorators` the login
 * guard comes first.
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
 * The guard behind {@link RequireFreshTokens}, for HTTP, WebSockets, microservices and GraphQL. What
 * it refuses is a {@link BerbixError}; `BerbixExceptionFilter` makes the fitting HTTP answer of it.
 */
@Injectable()
export class BerbixTokensGuard implements CanActivate {
  /** Those that were called, for the class that each was called on last. */
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
   * What the resolver is given: the HTTP request, the data of a message, and of a GraphQL operation
   * the request in its context, or the context itself. Override it where yours is elsewhere.
   */
  protected getRequest(context: ExecutionContext): unknown {
    // By their places: switchToHttp() and the like give every context functions of its own first.
    switch (context.getType<string>()) {
      case 'graphql': {
        // The last but one, also where a reference is resolved, which has no arguments.
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

  /** At once, where the tokens are in memory: whatever Nest has to wait for costs more than all this. */
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
    // Without an Observable, which takes longer than all the rest; a mock may have no other way.
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

  /** Wherever its module is imported. */
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

/** Also a promise of another library, whose class is its own. */
function isThenable(source: TokenRef | PromiseLike<TokenRef>): source is PromiseLike<TokenRef> {
  return readInput(
    'The function of @RequireFreshTokens says whose tokens a request needs.',
    () => typeof (source as Partial<PromiseLike<TokenRef>> | undefined)?.then === 'function',
  );
}

const GUARD_ORDER =
  'Is somebody signed in when it runs? Put the login guard below @RequireFreshTokens: Nest runs the guards of a handler from the lowest decorator upwards, after those of its controller and global ones.';

/** Errors thrown on purpose pass; the TypeError of `request.user.id` without a user gets advice. */
function resolverError(context: ExecutionContext, error: unknown): unknown {
  if ((error as Error | undefined)?.name !== 'TypeError') return error;
  return new BerbixConfigurationError(
    `The function of @RequireFreshTokens on ${nameOf(context)} failed with a TypeError. ${GUARD_ORDER}`,
  );
}

function nameOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
