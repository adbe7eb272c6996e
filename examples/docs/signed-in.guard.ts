import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { UnauthorizedException, createParamDecorator } from '@nestjs/common';

/** A request behind {@link SignedInGuard}. */
export interface SignedInRequest {
  headers: Record<string, string | string[] | undefined>;
  user: { id: string };
}

/** Stands for the login of an application: here, anybody can send `x-user`. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    const { 'x-user': id } = request.headers;
    if (typeof id !== 'string') throw new UnauthorizedException();
    request.user = { id };
    return true;
  }
}

/** The uid of the signed-in customer. */
export const SignedInCustomer = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<SignedInRequest>().user.id,
);
