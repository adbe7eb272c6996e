import { RequireFreshTokens, type RequireFreshTokensOptions } from 'nestjs-berbix';
import type { SignedInRequest } from '../signed-in.guard.js';

/** The tokens of whoever is signed in: the one place that says whose. */
export const RequireOwnTokens = (
  options?: RequireFreshTokensOptions,
): MethodDecorator & ClassDecorator =>
  RequireFreshTokens(({ user }: SignedInRequest) => ({ customerUid: user.id }), options);
