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
  type DynamicModule,
  type ExecutionContext,
  type Type,
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
import { answer } from '../support/peer.js';
import { CUSTOMERS, OFFLINE, tokensOf, transactionIdOf, uidOf } from '../support/stored-tokens.js';
import type { Platform, Route } from './measure.js';

/** A server to be loaded. */
export interface ServerState {
  url: string;
  /** User and system time of the process so far. */
  cpuMs: number;
}

interface NumberedRequest {
  headers: Record<string, string | undefined>;
}

/** Every route knows which customer it is for: without that none has any use for tokens. */
const customerOf = ({ headers }: NumberedRequest): string => headers['x-customer-uid'] as string;

@Controller()
class BareController {
  @Get()
  get(@Req() request: NumberedRequest): object {
    return { id: transactionIdOf(0), of: customerOf(request).length };
  }
}

/** The least that a guard and a parameter of one's own can do. */
@Injectable()
class TrivialGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return customerOf(context.getArgByIndex(0)) !== '';
  }
}

const Trivial = createParamDecorator(() => transactionIdOf(0));

@Controller()
class TrivialController {
  @Get()
  @UseGuards(TrivialGuard)
  get(@Trivial() id: string): object {
    return { id, of: 0 };
  }
}

@Controller()
class ManualController {
  constructor(@Inject(BerbixTokenService) private readonly tokens: BerbixTokenService) {}

  @Get()
  async get(@Req() request: NumberedRequest): Promise<object> {
    const tokens = await firstValueFrom(this.tokens.fresh({ customerUid: customerOf(request) }));
    return { id: tokens.transactionId, of: 0 };
  }
}

@Controller()
class GuardedController {
  @Get()
  @RequireFreshTokens((request: NumberedRequest) => ({ customerUid: customerOf(request) }))
  get(@FreshTokens() tokens: BerbixTokens): object {
    return { id: tokens.transactionId, of: 0 };
  }
}

@Module({})
class ServerModule {
  static with(controller: Type): DynamicModule {
    return {
      module: ServerModule,
      imports: [BerbixModule.forRoot(OFFLINE)],
      controllers: [controller],
    };
  }
}

async function serve(adapter: ExpressAdapter | FastifyAdapter, controller: Type): Promise<string> {
  const app = await NestFactory.create(ServerModule.with(controller), adapter as ExpressAdapter, {
    logger: false,
  });
  const service = app.get(BerbixTokenService, { strict: false });
  for (let number = 0; number < CUSTOMERS; number++) {
    const session = { customerUid: uidOf(number), tokens: tokensOf(number) };
    await firstValueFrom(service.remember(session));
  }
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

const CONTROLLERS: Record<Route, Type> = {
  bare: BareController,
  trivial: TrivialController,
  manual: ManualController,
  guarded: GuardedController,
};

const [platform, route] = process.argv.slice(2) as [Platform, Route];
const url = await serve(
  platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
  CONTROLLERS[route],
);

answer((): ServerState => {
  const { user, system } = process.cpuUsage();
  return { url, cpuMs: (user + system) / 1000 };
});
