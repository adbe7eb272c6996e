import type { ExecutionContext } from '@nestjs/common';
import { RequireFreshTokens } from 'nestjs-berbix';

/** What the gateway has put on the connection when its user signed in. */
interface SignedInSocket {
  data: { user: { id: string } };
}

/** For gateways: by the connection. The sender of a message controls what it says. */
export const RequireTokensOfSocket = (): MethodDecorator & ClassDecorator =>
  RequireFreshTokens((_message: unknown, context: ExecutionContext) => {
    const { data } = context.switchToWs().getClient<SignedInSocket>();
    return { customerUid: data.user.id };
  });
