import { expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import {
  BerbixTokensGuard,
  RequireFreshTokens,
  type BerbixTokens,
  type TokenResolver,
  type TokenRef,
} from 'nestjs-berbix';
import type { SignedInRequest } from './guard.support.js';

interface Row {
  tokens: BerbixTokens;
  refreshToken: string;
}

declare function load(uid: string): Promise<Row>;

// Checked by the compiler; whoever runs it sees that nothing of it asks for the request beforehand.
it('takes resolvers as they are written, without casts', () => {
  const resolver: TokenResolver<SignedInRequest> = ({ user }) => ({ customerUid: user.id });
  const ofAnything: TokenResolver = (request: SignedInRequest) => request.user.id;
  const decorators = [
    RequireFreshTokens((request: SignedInRequest) => ({ customerUid: request.user.id })),
    RequireFreshTokens<SignedInRequest>(({ user }) => ({ customerUid: user.id })),
    RequireFreshTokens(async ({ user }: SignedInRequest) => (await load(user.id)).tokens),
    RequireFreshTokens(({ user }: SignedInRequest) => load(user.id).then((row) => row.tokens)),
    RequireFreshTokens((request: SignedInRequest, context: ExecutionContext) =>
      context.getType() === 'http' ? { customerUid: request.user.id } : { transactionId: '1' },
    ),
    RequireFreshTokens(resolver, { account: 'eu', leewayMs: 1, guard: BerbixTokensGuard }),
    RequireFreshTokens(ofAnything, { account: undefined, leewayMs: undefined, guard: undefined }),
    RequireFreshTokens((): TokenRef => 'a refresh token'),
    // @ts-expect-error the request has no type: nothing is known of its user
    RequireFreshTokens((request) => ({ customerUid: request.user.id })),
    // @ts-expect-error whoever is not signed in has no id
    RequireFreshTokens((request: Partial<SignedInRequest>) => ({ customerUid: request.user?.id })),
    // @ts-expect-error nobody is named
    RequireFreshTokens(() => undefined),
    // @ts-expect-error there is no such option
    RequireFreshTokens(resolver, { leeway: 1 }),
  ];
  for (const decorator of decorators) expect(decorator).toBeInstanceOf(Function);
});
