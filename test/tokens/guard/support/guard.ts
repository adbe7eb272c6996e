import {
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  BerbixExceptionFilter,
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  getBerbixToken,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import type { BerbixModuleExtras } from '../../../../lib/berbix.options.js';
import { listen, type Platform } from '../../../support/platforms.js';
import { startSandbox } from '../../../support/services.js';

/** A request after the login guard. */
export interface SignedInRequest {
  user: { id: string };
}

/** Signs in the user in the Authorization header, as a real guard would after checking a session. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<SignedInRequest & { headers: { authorization?: string } }>();
    const id = request.headers.authorization?.replace(/^Bearer /, '');
    if (id === undefined) throw new UnauthorizedException();
    request.user = { id };
    return true;
  }
}

/** The parts of an application under test. */
export interface GuardedAppParts {
  platform: Platform;
  controllers: Type[];
  providers?: Provider[];
  options?: Partial<BerbixModuleOptions & BerbixModuleExtras>;
  /** Without BerbixExceptionFilter. */
  bare?: boolean;
  sandbox?: BerbixSandbox;
  configure?: (app: INestApplication) => void;
}

/** An application whose Berbix is a sandbox. */
export class GuardedApp {
  private constructor(
    readonly sandbox: BerbixSandbox,
    readonly app: INestApplication,
    readonly url: string,
    readonly tokens: BerbixTokenService,
  ) {}

  static async start(parts: GuardedAppParts): Promise<GuardedApp> {
    const { platform, controllers, providers = [], options, bare = false, configure } = parts;
    const sandbox = parts.sandbox ?? (await startSandbox());
    const filter = { provide: APP_FILTER, useClass: BerbixExceptionFilter };
    let app!: INestApplication;
    const url = await listen(
      Test.createTestingModule({
        imports: [BerbixModule.forRoot({ ...accountOf(sandbox), ...options })],
        controllers,
        providers: bare ? providers : [...providers, filter],
      }),
      platform,
      (created) => {
        app = created;
        configure?.(created);
      },
    );
    const token = getBerbixToken(BerbixTokenService, options?.account);
    return new GuardedApp(sandbox, app, url, app.get<BerbixTokenService>(token, { strict: false }));
  }

  /** Creates a transaction of the customer, with its tokens in the store; returns its id. */
  async begin(customerUid: string, tokens = this.tokens): Promise<string> {
    const created = await this.create(customerUid);
    await firstValueFrom(tokens.remember({ customerUid, tokens: created }));
    return created.transactionId as string;
  }

  /** The tokens of a new transaction that is not in the store. */
  create(customerUid: string): ReturnType<typeof createFor> {
    return createFor(this.app.get(BerbixTransactionService, { strict: false }), {
      customerUid,
      templateKey: this.sandbox.templateKeys.sdk,
    });
  }

  /** The application's answer to a user; without a name, nobody is signed in. */
  async get(path: string, user?: string): Promise<{ status: number; body: unknown; text: string }> {
    const headers: Record<string, string> = {};
    if (user !== undefined) headers.authorization = `Bearer ${user}`;
    const answer = await fetch(`${this.url}/${path}`, { headers });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, body: isJson ? JSON.parse(text) : text, text };
  }
}

/** Options for an account of the sandbox; without retries, so that calls fail immediately. */
export function accountOf(sandbox: BerbixSandbox): BerbixModuleOptions {
  return { apiSecret: sandbox.apiSecret, apiHost: sandbox.url, retry: 0 };
}

function createFor(
  service: BerbixTransactionService,
  transaction: Parameters<BerbixTransactionService['create']>[0],
) {
  return firstValueFrom(service.create(transaction));
}
