import { RequireFreshTokens, type RequireFreshTokensOptions } from 'nestjs-berbix';
import type { SignedInRequest } from '../signed-in.guard.js';

/** The tokens of the signed-in customer; the single place that determines the customer. */
export const RequireOwnTokens = (
  options?: RequireFreshTokensOptions,
): MethodDecorator & ClassDecorator =>
  RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }), options);
