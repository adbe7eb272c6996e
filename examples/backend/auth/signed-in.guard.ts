import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
  createParamDecorator,
} from '@nestjs/common';

/** A request that {@link SignedInGuard} has admitted. */
export interface SignedInRequest {
  headers: Record<string, string | string[] | undefined>;
  customerUid: string;
}

/** Admits the requests of signed-in customers, and adds the customer's uid to the request. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    request.customerUid = customerUidOf(request);
    return true;
  }
}

/**
 * FOR THE DEMO ONLY: anybody can send this header. Replace the body of this function by the result
 * of your login, such as `request.session.customerUid`, or `request.user.id` of Passport. Never
 * take the customer from the query or the body: one customer would get the tokens of another.
 */
function customerUidOf({ headers }: SignedInRequest): string {
  const customerUid = headers['x-demo-customer'];
  if (typeof customerUid === 'string' && /^[\w.@-]{1,64}$/.test(customerUid)) return customerUid;
  throw new UnauthorizedException('Sign in first. In this demo: send x-demo-customer: ada');
}

/** The uid of the signed-in customer, in handlers behind {@link SignedInGuard}. */
export const SignedInCustomer = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { customerUid } = context.switchToHttp().getRequest<Partial<SignedInRequest>>();
  if (customerUid === undefined) throw new Error('@SignedInCustomer() needs SignedInGuard.');
  return customerUid;
});
