import { expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import {
  BerbixTokensGuard,
  RequireFreshTokens,
  type BerbixTokens,
  type BerbixTokenResolver,
  type BerbixTokenRef,
} from 'nestjs-berbix';
import type { SignedInRequest } from './support/guard.js';

interface Row {
  tokens: BerbixTokens;
  refreshToken: string;
}

declare function load(uid: string): Promise<Row>;

// The compiler checks the types. At runtime, this shows that no resolver is called beforehand.
it('accepts resolvers without casts', () => {
  const resolver: BerbixTokenResolver<SignedInRequest> = ({ user }) => ({ customerUid: user.id });
  const ofAnything: BerbixTokenResolver = (request: SignedInRequest) => request.user.id;
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
    RequireFreshTokens((): BerbixTokenRef => 'a refresh token'),
    // @ts-expect-error without a type of the request, its user is unknown
    RequireFreshTokens((request) => ({ customerUid: request.user.id })),
    // @ts-expect-error a user who is not signed in has no id
    RequireFreshTokens((request: Partial<SignedInRequest>) => ({ customerUid: request.user?.id })),
    // @ts-expect-error it names no customer or transaction
    RequireFreshTokens(() => undefined),
  ];
  for (const decorator of decorators) expect(decorator).toBeInstanceOf(Function);
  // @ts-expect-error there is no such option
  expect(() => RequireFreshTokens(resolver, { leeway: 1 })).toThrow('no option named "leeway"');
});
