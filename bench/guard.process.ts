import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Req,
  UseGuards,
  createParamDecorator,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokens,
  FreshTokens,
  RequireFreshTokens,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import type { Platform, Route } from './guard.js';
import { serve } from './harness/served.js';
import { CUSTOMERS, OFFLINE, tokensOf, transactionIdOf, uidOf } from './harness/stored-tokens.js';

interface NumberedRequest {
  headers: Record<string, string | undefined>;
  [FOUND]?: BerbixTokens | undefined;
}

/** Every route reads which customer it is for: tokens are of no use without that. */
const customerOf = ({ headers }: NumberedRequest): string => headers['x-customer-uid'] as string;

/** The least that a guard and a parameter can do. */
@Injectable()
class TrivialGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return customerOf(context.getArgByIndex(0)) !== '';
  }
}

const Trivial = createParamDecorator(() => transactionIdOf(0));

/** What a guard can hand over at the least: made beforehand, and always valid. */
const IN_A_MAP = new Map(
  Array.from({ length: CUSTOMERS }, (_, number) => [uidOf(number), tokensOf(number)]),
);

const FOUND = Symbol('found');

/** The least that a guard can do that hands over something of the customer's. */
@Injectable()
class LookupGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.getArgByIndex<NumberedRequest>(0);
    request[FOUND] = IN_A_MAP.get(customerOf(request));
    return request[FOUND] !== undefined;
  }
}

const Found = createParamDecorator(
  (_, context: ExecutionContext) => context.getArgByIndex<NumberedRequest>(0)[FOUND],
);

/** The same route in as many ways as are compared. */
@Controller()
class RoutesController {
  constructor(@Inject(BerbixTokenService) private readonly tokens: BerbixTokenService) {}

  @Get('bare' satisfies Route)
  bare(@Req() request: NumberedRequest): object {
    return { id: transactionIdOf(0), of: customerOf(request).length };
  }

  @Get('trivial' satisfies Route)
  @UseGuards(TrivialGuard)
  trivial(@Trivial() id: string): object {
    return { id, of: 0 };
  }

  @Get('lookup' satisfies Route)
  @UseGuards(LookupGuard)
  lookup(@Found() tokens: BerbixTokens): object {
    return { id: tokens.transactionId, of: 0 };
  }

  @Get('manual' satisfies Route)
  async manual(@Req() request: NumberedRequest): Promise<object> {
    const tokens = await firstValueFrom(this.tokens.fresh({ customerUid: customerOf(request) }));
    return { id: tokens.transactionId, of: 0 };
  }

  @Get('guarded' satisfies Route)
  @RequireFreshTokens((request: NumberedRequest) => ({ customerUid: customerOf(request) }))
  guarded(@FreshTokens() tokens: BerbixTokens): object {
    return { id: tokens.transactionId, of: 0 };
  }
}

@Module({ imports: [BerbixModule.forRoot(OFFLINE)], controllers: [RoutesController] })
class ServerModule {}

async function listen(adapter: ExpressAdapter | FastifyAdapter): Promise<string> {
  const app = await NestFactory.create(ServerModule, adapter as ExpressAdapter, { logger: false });
  const service = app.get(BerbixTokenService, { strict: false });
  for (let number = 0; number < CUSTOMERS; number++) {
    const session = { customerUid: uidOf(number), tokens: tokensOf(number) };
    await firstValueFrom(service.remember(session));
  }
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

const isExpress = process.argv[2] === ('express' satisfies Platform);
serve({ url: await listen(isExpress ? new ExpressAdapter() : new FastifyAdapter()) });
