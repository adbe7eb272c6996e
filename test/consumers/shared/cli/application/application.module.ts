// An application with everything that depends on the request: a login, the guard, webhooks, and
// providers that Nest creates for each request or for each tenant.
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  Scope,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixVerificationService,
  FreshTokens,
  OnBerbixWebhook,
  RequireFreshTokens,
  createBerbixWebhookController,
  type BerbixModuleOptions,
  type BerbixTokens,
  type BerbixWebhookDto,
} from 'nestjs-berbix';
import { map, type Observable } from 'rxjs';

interface SignedInRequest {
  headers: Record<string, string | undefined>;
  user: { id: string };
}

/** Stands for a login. */
@Injectable()
class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    const id = request.headers['x-user'];
    if (id === undefined) return false;
    request.user = { id };
    return true;
  }
}

@Controller({ path: 'verification', version: '1' })
@UseGuards(SignedInGuard)
class VerificationController {
  constructor(private readonly verifications: BerbixVerificationService) {}

  @Post()
  begin() {
    return this.verifications.begin('ada', { templateKey: process.env['BERBIX_TEMPLATE_KEY']! });
  }

  @Get('guarded')
  @RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }))
  guarded(@FreshTokens() tokens: BerbixTokens) {
    return { id: tokens.transactionId };
  }
}

@Injectable({ scope: Scope.REQUEST })
export class TokensOfRequest {
  static readonly users = new Set<BerbixTokenService>();
  static created = 0;

  constructor(
    private readonly tokens: BerbixTokenService,
    @Inject(REQUEST) private readonly request: SignedInRequest,
  ) {
    TokensOfRequest.created += 1;
    TokensOfRequest.users.add(tokens);
  }

  id(): Observable<object> {
    return this.tokens
      .fresh({ customerUid: this.request.user.id })
      .pipe(map(({ transactionId }) => ({ id: transactionId })));
  }
}

/** Injected into a durable controller. */
@Injectable({ scope: Scope.REQUEST, durable: true })
export class TokensOfTenant {
  static readonly tenants: string[] = [];

  constructor(
    private readonly tokens: BerbixTokenService,
    @Inject(REQUEST) private readonly context: { tenant: string },
  ) {
    TokensOfTenant.tenants.push(context.tenant);
    TokensOfRequest.users.add(tokens);
  }

  id(): Observable<object> {
    return this.tokens
      .fresh({ customerUid: 'ada' })
      .pipe(map(({ transactionId }) => ({ id: transactionId, tenant: this.context.tenant })));
  }
}

@Controller({ path: 'request', version: '1' })
@UseGuards(SignedInGuard)
class RequestController {
  constructor(private readonly tokens: TokensOfRequest) {}

  @Get()
  get() {
    return this.tokens.id();
  }

  @Get('guarded')
  @RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }))
  guarded(@FreshTokens() tokens: BerbixTokens) {
    return { id: tokens.transactionId };
  }
}

@Controller({ path: 'tenant', version: '1' })
class TenantController {
  constructor(private readonly tokens: TokensOfTenant) {}

  @Get()
  get() {
    return this.tokens.id();
  }
}

@Injectable()
export class Results {
  readonly customers: string[] = [];

  @OnBerbixWebhook('finished')
  add({ customerUid }: BerbixWebhookDto): void {
    this.customers.push(customerUid);
  }
}

@Module({})
export class ApplicationModule {
  static with(options: BerbixModuleOptions): DynamicModule {
    return {
      module: ApplicationModule,
      imports: [BerbixModule.forRoot(options)],
      controllers: [
        VerificationController,
        RequestController,
        TenantController,
        createBerbixWebhookController({ version: VERSION_NEUTRAL }),
      ],
      providers: [SignedInGuard, TokensOfRequest, TokensOfTenant, Results],
    };
  }
}
